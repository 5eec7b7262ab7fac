"""Stands in for the import process: `python -m ... FOLDER`.

MIEN_TEST_IMPORTER makes it fail: it "dies", finds a "problem", or "waits" forever.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

from tests.recognition.networks import network
from training.runs.lifeline import end_with_starter, speaker
from training.runs.messages import BEST, JOB

end_with_starter()
say = speaker()
folder = Path(sys.argv[1])
(folder / "pid").write_text(str(os.getpid()))
job = json.loads((folder / JOB).read_text())
say({"type": "step", "step": "building"})
match os.environ.get("MIEN_TEST_IMPORTER"):
    case "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    case "problem":
        say({"type": "problem", "code": "wrong_shapes", "message": "These do not fit."})
        sys.exit(1)
    case "waits":
        time.sleep(600)
say({"type": "step", "step": "exporting"})
(folder / "expression.onnx").write_bytes(network(9))
(folder / "expression.keras").write_bytes(b"keras")
(folder / BEST).write_bytes(b"weights")
card = {**job["card"], "architecture": job["architecture"]}
(folder / "expression.json").write_text(json.dumps(card))
say({"type": "done"})
