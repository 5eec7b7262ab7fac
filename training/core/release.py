"""From a finished run to what is shipped: an ONNX file and its card."""

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.engine.classifier import EmotionClassifier
from recognition.engine.emotions import EMOTIONS

from .checkpoint import Progress
from .config import TrainingConfig
from .datasets import Faces, split_off
from .evaluate import evaluate, fit_temperature
from .export import export, trained, write_card
from .fit import predict_logits

MODEL, CARD = "expression.onnx", "expression.json"


def release(
    config: TrainingConfig,
    faces: Faces,
    progress: Progress,
    folder: Path,
    score: Sequence[str] = (),
) -> dict[str, Any]:
    """Export the best epoch to `folder`, write its card and give it.

    The temperature is fitted on the validation part. `score` names the splits whose figures go into
    the card besides the validation part's: leave test splits out until the model is final.
    """
    if not progress.best_epoch:
        raise ValueError("The run has finished no epoch yet.")
    model = trained(config.architecture, progress.best)
    _, held_out = split_off(faces, faces.rows("Training"), config.validation, config.seed)
    logits = predict_logits(model, faces.images[held_out])
    temperature = fit_temperature(logits, faces.labels[held_out])
    folder.mkdir(parents=True, exist_ok=True)
    deviation = export(model, temperature, folder / MODEL)
    parts = {"validation": held_out} | {split: faces.rows(split) for split in score}
    card = {
        "architecture": config.architecture,
        "parameters": int(model.count_params()),
        "bytes": (folder / MODEL).stat().st_size,
        "emotions": list(EMOTIONS),
        "input": "faces: float32 [n, 48, 48, 1], gray, 0 to 255",
        "output": "probabilities: float32 [n, 7]",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seed": config.seed,
        "config": config.to_dict(),
        "data": faces.sources,
        "trained_rows": int(len(faces.rows("Training")) - len(held_out)),
        "epochs": len(progress.epochs),
        "best_epoch": progress.best_epoch,
        "training_seconds": round(progress.seconds),
        "temperature": round(temperature, 4),
        "onnx_deviation": deviation,
        "figures": {name: score_rows(folder / MODEL, faces, rows) for name, rows in parts.items()},
    }
    write_card(card, folder / CARD)
    return card


def score_rows(model: Path, faces: Faces, rows: NDArray[np.int64]) -> dict[str, Any]:
    """The figures of an exported model on some rows, ready for JSON."""
    evaluation = evaluate(EmotionClassifier(model).predict, faces.images[rows], faces.labels[rows])
    return evaluation.to_dict()
