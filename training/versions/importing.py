"""The process that turns weights into a model: `python -m training.versions.importing FOLDER`.

trainer.py starts it. Like the training process it imports TensorFlow, sends JSON lines and ends
with its parent. It reads FOLDER/job.json and FOLDER/weights.npz, which may come from strangers:
plain arrays, read without pickle, into a network that Mien's code builds.
"""

import json
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from recognition.engine.emotions import EMOTIONS
from recognition.engine.errors import ModelError
from recognition.registry.model_files import read_weights
from training.core.architectures import build
from training.core.checkpoint import CARD, FACTS, KERAS, MODEL, check_fit, in_order, read_facts
from training.core.evaluate import Calibration
from training.core.export import ParityError, export_keras, export_onnx, write_card
from training.runs.lifeline import Say, end_with_starter, speaker
from training.runs.messages import BEST, JOB, WEIGHTS, WeightsJob


def main(arguments: list[str]) -> int:
    end_with_starter()
    return carry_out(Path(arguments[0]), speaker())


def carry_out(folder: Path, say: Say) -> int:
    """Make the model, and leave it with its card in the folder; returns the exit status."""
    job: WeightsJob = json.loads((folder / JOB).read_text())
    try:
        say({"type": "step", "step": "building"})
        arrays = read_weights((folder / WEIGHTS).read_bytes(), job["max_bytes"])
        model = fill(job["architecture"], in_order(arrays))
        say({"type": "step", "step": "exporting"})
        calibration = Calibration.from_card(job["card"])
        deviation = export_onnx(model, calibration, folder / MODEL)
        export_keras(model, calibration, folder / KERAS)
    except ModelError as error:
        say({"type": "problem", "code": error.code, "message": error.message})
        return 1
    except ParityError:
        message = "With these weights the network's outputs can't be relied on."
        say({"type": "problem", "code": "cannot_export", "message": message})
        return 1
    write_weights(model, read_facts(arrays), folder / BEST)
    facts = {
        "architecture": job["architecture"],
        "parameters": int(model.count_params()),
        "bytes": (folder / MODEL).stat().st_size,
        "emotions": list(EMOTIONS),
        **calibration.to_card(),
        "onnx_deviation": deviation,
    }
    write_card({**job["card"], **facts}, folder / CARD)
    say({"type": "done"})
    return 0


def fill(architecture: str, weights: list[NDArray[np.float32]]) -> keras.Model:
    """One of Mien's networks with these weights. Raises ModelError wrong_shapes."""
    model = build(architecture)
    wanted = [(weight.path, tuple(weight.shape)) for weight in model.weights]
    check_fit(architecture, wanted, weights)
    model.set_weights(weights)
    return model


def write_weights(model: keras.Model, facts: dict[str, Any], path: Path) -> None:
    """Store weights in the format of `save_best`, so an exported file can be imported again."""
    arrays = {f"best/{number:04d}": value for number, value in enumerate(model.get_weights())}
    with path.open("wb") as file:
        named: dict[str, Any] = {FACTS: np.array(json.dumps(facts)), **arrays}
        np.savez(file, **named)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
