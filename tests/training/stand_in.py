"""Stands in for the training process, which takes a while to start: `python -m ... FOLDER`.

It sends the real one's messages, keeps its own checkpoint, and writes its process number to
FOLDER/pid. MIEN_TEST_EPOCH is how many seconds an epoch takes, MIEN_TEST_TRAINER what goes wrong:
"dies" at its first epoch, or a "problem".
"""

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from recognition.engine.classifier import SHIPPED_MODEL
from training.runs.lifeline import end_with_starter, speaker
from training.runs.messages import BEST, EXAMINATION, JOB

end_with_starter()
say = speaker()
folder = Path(sys.argv[1])
(folder / "pid").write_text(str(os.getpid()))
config = json.loads((folder / JOB).read_text())["config"]
checkpoint = folder / "checkpoint.json"
epochs = json.loads(checkpoint.read_text()) if checkpoint.exists() else []
print(f"going on after epoch {len(epochs)}", file=sys.stderr)

trouble = os.environ.get("MIEN_TEST_TRAINER")
if trouble == "problem":
    say({"type": "problem", "code": "cannot_train", "message": "These faces are no good."})
    sys.exit(1)
say({"type": "epochs", "epochs": epochs})
while len(epochs) < config["epochs"]:
    number = len(epochs) + 1
    say(
        {
            "type": "batch",
            "epoch": number,
            "batch": 1,
            "batches": 2,
            "share": len(epochs) / config["epochs"],
            "faces_per_second": 100.0,
            "seconds_left": 1.0,
        }
    )
    time.sleep(float(os.environ.get("MIEN_TEST_EPOCH", "0")))
    if trouble == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    figures = dict.fromkeys(("loss", "accuracy", "validation_loss", "validation_macro_f1"), 0.5)
    figures |= {"side": 48, "learning_rate": 0.001, "seconds": float(number)}
    epochs.append({"number": number, **figures, "validation_accuracy": number / 100})
    partial = checkpoint.with_suffix(".partial")
    partial.write_text(json.dumps(epochs))
    partial.rename(checkpoint)
    say({"type": "epochs", "epochs": epochs})

say({"type": "evaluating", "faces_per_second": 100.0})
card = SHIPPED_MODEL.with_suffix(".json")
shutil.copy(SHIPPED_MODEL, folder / "expression.onnx")
shutil.copy(card, folder / "expression.json")
(folder / BEST).write_bytes(b"weights")
(folder / "expression.keras").write_bytes(b"keras")
(folder / EXAMINATION).write_text(json.dumps({"validation": []}))
say({"type": "done"})
