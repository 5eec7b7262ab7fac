"""How good a classifier is on labelled faces, and the temperature that calibrates it."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.engine.align import SIDE

from .figures import (
    Bin,
    ClassFigures,
    calibration_error,
    class_figures,
    confusion_matrix,
    log_loss,
    macro_f1,
    reliability,
)

Predict = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Faces uint8 [n, 48, 48] to probabilities [n, 7]."""

_BATCH = 256


@dataclass(frozen=True)
class Evaluation:
    """All figures of one classifier on one set of faces; shares lie between 0 and 1."""

    faces: int
    accuracy: float
    macro_f1: float
    ece: float
    log_loss: float
    per_class: dict[str, ClassFigures]
    confusion: list[list[int]]
    """Rows are the true classes, columns the predicted ones, in the order of EMOTIONS."""
    reliability: list[Bin]
    milliseconds_per_face: float

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def evaluate(
    predict: Predict,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    on_progress: Callable[[int], None] = lambda done: None,
) -> Evaluation:
    """Figures of `predict` on faces [n, 48, 48] with labels [n]; ValueError where there are none.

    `on_progress` hears how many faces are done.
    """
    probabilities = predict_all(predict, images, on_progress)
    return score(probabilities, labels, measure_time(predict))


def predict_all(
    predict: Predict,
    images: NDArray[np.uint8],
    on_progress: Callable[[int], None] = lambda done: None,
) -> NDArray[np.float32]:
    """Probabilities [n, 7] of faces [n, 48, 48], in batches; ValueError where there are none."""
    if not len(images):
        raise ValueError("There are no faces to evaluate on.")
    parts = []
    for start in range(0, len(images), _BATCH):
        parts.append(predict(np.asarray(images[start : start + _BATCH])))
        on_progress(min(start + _BATCH, len(images)))
    return np.concatenate(parts)


def score(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], milliseconds: float
) -> Evaluation:
    """The figures of answers [n, 7] to faces with labels [n]; a face took `milliseconds`."""
    labels = np.asarray(labels)
    predicted = probabilities.argmax(axis=1)
    confusion = confusion_matrix(labels, predicted)
    return Evaluation(
        faces=len(labels),
        accuracy=float((predicted == labels).mean()),
        macro_f1=macro_f1(labels, predicted),
        ece=calibration_error(probabilities, labels),
        log_loss=log_loss(np.log(np.maximum(probabilities, 1e-12)), labels),
        per_class=class_figures(confusion),
        confusion=confusion.tolist(),
        reliability=reliability(probabilities, labels),
        milliseconds_per_face=milliseconds,
    )


def measure_time(predict: Predict, repeats: int = 30) -> float:
    """Milliseconds for a single face: the median, after a few calls to warm up."""
    face = np.random.default_rng(0).integers(0, 256, (1, SIDE, SIDE), np.uint8)
    times = []
    for _ in range(repeats + 3):
        started = time.perf_counter()
        predict(face)
        times.append(time.perf_counter() - started)
    return round(float(np.median(times[3:])) * 1000, 3)


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The number that logits are divided by so that they fit the labels best.

    Guo et al. 2017, arXiv 1706.04599, section 4.2. Log loss has one minimum over the logarithm of
    the temperature; it is narrowed down by thirds between 0.2 and 5.
    """
    low, high = np.log(0.2), np.log(5.0)
    while high - low > 1e-4:
        third = (high - low) / 3
        left, right = low + third, high - third
        if log_loss(logits / np.exp(left), labels) < log_loss(logits / np.exp(right), labels):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))
