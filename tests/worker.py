"""`python -m tests.worker ARGUMENTS`: Celery with the database named in the environment.

Test databases have other names than in the settings. MIEN_TEST_PAUSE makes each analysis wait that
many seconds before it reads the photo, and each export before it writes its rows, or kills the
process there ("kill", or "kill NAME" for the photo with that name). MIEN_TEST_DECODER is a module
in place of the one that decodes photos. MIEN_TEST_TRAINING is a folder
for trainings, executed by tests.training.stand_in, and for imports of weights, by
tests.training.versions.importer.
"""

import os
import signal
import sys
import time
from pathlib import Path

from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fer_site.settings")
if name := os.environ.get("MIEN_TEST_DATABASE"):
    settings.DATABASES["default"]["NAME"] = name

from fer_site.celery import app


def pause_before(function):
    def paused(*arguments):
        word, _, name = os.environ["MIEN_TEST_PAUSE"].partition(" ")
        if word == "kill" and name in ("", getattr(arguments[0], "title", "")):
            os.kill(os.getpid(), signal.SIGKILL)
        if word != "kill":
            time.sleep(float(word))
        return function(*arguments)

    return paused


if "MIEN_TEST_PAUSE" in os.environ:
    import django

    django.setup()
    from recognition.history import exports
    from recognition.photos import analyses

    analyses.analyze_source = pause_before(analyses.analyze_source)
    exports.write_rows = pause_before(exports.write_rows)

if "MIEN_TEST_DECODER" in os.environ:
    import django

    django.setup()
    from recognition import decoding

    decoding.COMMAND = [sys.executable, "-m", os.environ["MIEN_TEST_DECODER"]]

if "MIEN_TEST_TRAINING" in os.environ:
    import django

    django.setup()
    from training.runs import trainer

    settings.TRAINING_DIR = Path(os.environ["MIEN_TEST_TRAINING"])
    trainer.COMMAND = [sys.executable, "-m", "tests.training.stand_in"]
    trainer.IMPORT_COMMAND = [sys.executable, "-m", "tests.training.versions.importer"]

app.worker_main(sys.argv[1:])
