"""Imported weights become a model version, or give a clear error."""

import json
import os
import sys
import threading

import numpy as np
import pytest
from django.conf import settings
from django.db import connection

from recognition.engine.errors import ModelError
from recognition.jobs.lease import Status
from recognition.models import ModelVersion
from recognition.registry import registry
from tests.processes import wait_until
from tests.recognition.jobs.sweeping import sweep
from tests.training.weights import npz, pickled
from training.models import Evaluation, ModelImport
from training.runs import trainer
from training.versions import imports, intake
from training.versions import tasks as version_tasks

pytestmark = pytest.mark.django_db(transaction=True)

ONE = np.ones(3, np.float32)


@pytest.fixture(autouse=True)
def stand_in_importer(monkeypatch):
    command = [sys.executable, "-m", "tests.training.versions.importer"]
    monkeypatch.setattr(trainer, "IMPORT_COMMAND", command)


def add(admin, content: bytes | None = None, **options) -> ModelImport:
    options = {"architecture": "simple_cnn", "enqueue": False, **options}
    return intake.add(admin, "theirs.npz", content or npz(ONE), **options)


def carry_out(found: ModelImport) -> ModelImport:
    version_tasks.import_weights(str(found.pk))
    found.refresh_from_db()
    return found


def code_of(function, *arguments, **options) -> str:
    with pytest.raises(ModelError) as caught:
        function(*arguments, **options)
    return caught.value.code


def folders() -> list[str]:
    folder = settings.TRAINING_DIR / "imports"
    return [path.name for path in folder.iterdir()] if folder.exists() else []


def test_weights_become_a_version_that_is_marked_as_imported(admin):
    card = json.dumps({"temperature": 1.3, "data": {"faces.csv": "a" * 64}}).encode()
    found = carry_out(add(admin, card=card, note="From a colleague."))
    version = found.model_version

    assert (found.status, found.step) == (Status.SUCCEEDED, "done")
    assert (version.imported, version.architecture, version.active) == (True, "simple_cnn", False)
    assert (version.created_by, version.note) == (admin, "From a colleague.")
    assert (version.weights.read(), version.keras.read()) == (b"weights", b"keras")
    assert (version.card["temperature"], version.data_hash != "") == (1.3, True)
    assert folders() == []


def test_a_file_of_ours_says_itself_of_which_network_it_is(admin):
    content = npz(ONE, facts={"config": {"architecture": "mini_xception"}})

    assert add(admin, content, architecture="").architecture == "mini_xception"


def test_what_is_imported_is_scored_on_the_test_splits(
    admin, dataset, monkeypatch, django_capture_on_commit_callbacks
):
    asked = []
    monkeypatch.setattr(version_tasks.evaluate, "delay", asked.append)
    with django_capture_on_commit_callbacks(execute=True):
        found = carry_out(add(admin, dataset=dataset))
    evaluation = Evaluation.objects.get()

    assert (evaluation.version, evaluation.split) == (found.model_version, "PublicTest")
    assert asked == [str(evaluation.pk)]


def test_promoting_what_was_imported_needs_somebody_s_word(admin):
    registry.register_shipped_model()
    version = carry_out(add(admin)).model_version

    with pytest.raises(registry.PromotionRefused) as caught:
        registry.promote(version, admin)
    assert caught.value.code == "not_comparable"


@pytest.mark.parametrize(
    ("content", "options", "code"),
    [
        (pickled(), {}, "invalid_file"),
        (b"no zip", {}, "invalid_file"),
        (npz(np.arange(3)), {}, "wrong_type"),
        (npz(np.array([np.inf])), {}, "not_finite"),
        (npz(np.zeros(2**21)), {}, "too_large"),
        (npz(ONE), {"architecture": ""}, "unknown_architecture"),
        (npz(ONE), {"architecture": "resnet50"}, "unknown_architecture"),
        (npz(ONE), {"card": b"no json"}, "invalid_card"),
        (npz(ONE), {"card": b'{"temperature": "hot"}'}, "invalid_card"),
        (npz(ONE), {"card": b'{"temperature": 0}'}, "invalid_card"),
        (npz(ONE), {"card": b'{"class_prior": 1}'}, "invalid_card"),
        (npz(ONE), {"card": b'{"class_prior": {"strength": 1, "shares": {}}}'}, "invalid_card"),
    ],
)
def test_what_cannot_be_imported_is_refused_at_once(admin, settings, content, options, code):
    settings.MAX_MODEL_BYTES = 2**20

    assert code_of(add, admin, content, **options) == code
    assert not ModelImport.objects.exists()
    assert folders() == []


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model.pt", "model.pkl", "weights"])
def test_other_kinds_of_files_are_refused(admin, name):
    assert code_of(intake.add, admin, name, npz(ONE)) == "wrong_kind"


def test_what_the_process_finds_wrong_is_said(admin, monkeypatch):
    monkeypatch.setenv("MIEN_TEST_IMPORTER", "problem")
    found = carry_out(add(admin))

    assert (found.status, found.error_code) == (Status.FAILED, "wrong_shapes")
    assert found.error_message == "These do not fit."
    assert folders() == []
    assert not ModelVersion.objects.exists()


def test_a_process_that_dies_is_started_again_three_times_in_all(admin, monkeypatch):
    monkeypatch.setenv("MIEN_TEST_IMPORTER", "dies")
    found = add(admin)
    for attempt in (1, 2):
        carry_out(found)
        assert (found.status, found.attempts) == (Status.QUEUED, attempt)
    carry_out(found)

    assert (found.status, found.error_code) == (Status.FAILED, "gave_up")


def test_one_that_died_once_can_still_succeed(admin, monkeypatch):
    found = add(admin)
    with monkeypatch.context() as patch:
        patch.setenv("MIEN_TEST_IMPORTER", "dies")
        carry_out(found)

    assert carry_out(found).model_version is not None


def test_an_import_that_is_deleted_ends_its_process(admin, monkeypatch):
    monkeypatch.setenv("MIEN_TEST_IMPORTER", "waits")
    found = add(admin)
    pid = imports.folder_of(found) / "pid"

    def work() -> None:
        version_tasks.import_weights(str(found.pk))
        connection.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    wait_until(lambda: pid.exists() and pid.read_text(), "the process")
    number = int(pid.read_text())
    intake.remove(ModelImport.objects.get())
    thread.join(30)

    assert not thread.is_alive()
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
    assert folders() == []


def test_an_import_whose_worker_died_is_queued_again(admin):
    found = add(admin)
    ModelImport.objects.update(
        status=Status.RUNNING, attempts=1, lease_expires_at="2020-01-01T00:00:00Z"
    )
    sweep("import")
    found.refresh_from_db()

    assert found.status == Status.QUEUED
    assert carry_out(found).status == Status.SUCCEEDED
