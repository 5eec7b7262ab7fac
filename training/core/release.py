"""From a finished run to what is shipped: a calibrated network in three files, and its card."""

import datetime
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.engine import align, detector
from recognition.engine.classifier import EmotionClassifier
from recognition.engine.emotions import EMOTIONS

from .augment import frame
from .checkpoint import CARD, INT8, KERAS, MODEL, Progress
from .config import TrainingConfig
from .data.faces import Faces, split_off
from .data.targets import epoch_rows
from .evaluate import calibrate, evaluate
from .export import export_keras, export_onnx, quantize, write_card
from .fit import predict_logits, trained

INT8_COST = 0.003
"""How much validation accuracy the int8 variant may lose; if it loses more, it isn't kept."""

_SAMPLE = 1000  # training faces by which activations are scaled to 8 bits

Labeled = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Faces [n, 48, 48] and their labels [n]."""


def release(
    config: TrainingConfig,
    faces: Faces,
    progress: Progress,
    folder: Path,
    score: Sequence[str] = (),
    *,
    patience: int | None = None,
    small: bool = True,
) -> dict[str, Any]:
    """Export the best epoch to `folder` (MODEL, KERAS, INT8, CARD); gives the card.

    The calibration is fitted on the validation part and, if the config trains with framings, also
    on the same faces as the engine would frame them. Figures for both go into the card. `score`
    names more splits to score: leave out test splits until the model is final. `patience` is only
    noted in the card. `small` exports the int8 variant too. ValueError if no epoch is finished.
    """
    if not progress.best_epoch:
        raise ValueError("The run hasn't finished an epoch yet.")
    model = trained(config.architecture, progress.best)
    training, held_out = split_off(faces, faces.rows("Training"), config.validation, config.seed)
    labels = np.asarray(faces.labels[held_out])
    validation = {"validation": (faces.images[held_out], labels)}
    if config.framed:
        framed = frame(faces.images[held_out], faces.framings_of(held_out))
        validation["validation_framed"] = (framed, labels)
    logits = [predict_logits(model, images) for images, _ in validation.values()]
    counts = np.bincount(faces.labels[training], minlength=len(EMOTIONS))
    calibration = calibrate(
        np.concatenate(logits), np.tile(labels, len(logits)), counts / counts.sum(), config.balance
    )
    folder.mkdir(parents=True, exist_ok=True)
    deviation = export_onnx(model, calibration, folder / MODEL)
    export_keras(model, calibration, folder / KERAS)
    splits = {name: faces.rows(name) for name in score}
    scored = {name: (faces.images[rows], faces.labels[rows]) for name, rows in splits.items()}
    figures = {name: _score(folder / MODEL, part) for name, part in (validation | scored).items()}
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
        "patience": patience,
        "data": faces.sources,
        "code": code_digest(),
        "trained_rows": len(np.unique(epoch_rows(faces, training, config))),
        "epochs": len(progress.epochs),
        "best_epoch": progress.best_epoch,
        "training_seconds": round(progress.seconds),
        **calibration.to_card(),
        "onnx_deviation": deviation,
        "figures": figures,
    }
    if small:
        sample = faces.images[training[:: max(1, len(training) // _SAMPLE)]]
        card["int8"] = _release_int8(folder, sample, validation, figures["validation"]["accuracy"])
    write_card(card, folder / CARD)
    return card


def _release_int8(
    folder: Path, sample: NDArray[np.uint8], parts: dict[str, Labeled], accuracy: float
) -> dict[str, Any]:
    """Write the int8 variant, but keep it only if it comes close enough to `accuracy`."""
    quantize(folder / MODEL, sample, folder / INT8)
    figures = {name: _score(folder / INT8, part) for name, part in parts.items()}
    size = (folder / INT8).stat().st_size
    kept = accuracy - figures["validation"]["accuracy"] <= INT8_COST
    if not kept:
        (folder / INT8).unlink()
    return {"kept": kept, "bytes": size, "figures": figures}


def _score(model: Path, part: Labeled) -> dict[str, Any]:
    """The figures of an exported model on labeled faces, ready for JSON."""
    return evaluate(EmotionClassifier(model).predict, *part).to_dict()


def code_digest() -> str:
    """A digest of everything but config and data that determines the result of a run.

    This package, the labels and weights in it, and how the engine frames faces.
    """
    digest = hashlib.sha256()
    for path in _code_files():
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _code_files() -> list[Path]:
    framing = [Path(str(module.__file__)) for module in (align, detector)]
    package = Path(__file__).parent
    return [*sorted(package.rglob("*.py")), *sorted(package.glob("*.npz")), *framing]
