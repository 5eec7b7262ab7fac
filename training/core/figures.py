"""The figures that say how good a classifier is, from probabilities and labels alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.engine.emotions import EMOTIONS

BINS = 15


@dataclass(frozen=True)
class ClassFigures:
    """How one class fares: shares between 0 and 1, and its number of faces."""

    precision: float
    recall: float
    f1: float
    support: int


def confusion_matrix(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts [7, 7]: row the true class, column the predicted one."""
    matrix = np.zeros((len(EMOTIONS), len(EMOTIONS)), np.int64)
    np.add.at(matrix, (labels, predicted), 1)
    return matrix


def class_figures(confusion: NDArray[np.int64]) -> dict[str, ClassFigures]:
    """Precision, recall and F1 of each class; 0 where there is nothing to divide by."""
    figures = {}
    for index, emotion in enumerate(EMOTIONS):
        hits = int(confusion[index, index])
        support, predictions = int(confusion[index].sum()), int(confusion[:, index].sum())
        figures[emotion] = ClassFigures(
            precision=hits / predictions if predictions else 0.0,
            recall=hits / support if support else 0.0,
            f1=2 * hits / (support + predictions) if support + predictions else 0.0,
            support=support,
        )
    return figures


def macro_f1(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    """The plain mean of the classes' F1; classes that do not occur are left out."""
    figures = class_figures(confusion_matrix(labels, predicted)).values()
    return float(np.mean([figure.f1 for figure in figures if figure.support]))


@dataclass(frozen=True)
class Bin:
    """Faces whose top probability lies in one interval."""

    confidence: float
    accuracy: float
    count: int


def reliability(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], bins: int = BINS
) -> list[Bin]:
    """Faces binned by top probability, in equal widths from 0 to 1 (Guo et al. 2017)."""
    top = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    number = np.minimum((top * bins).astype(int), bins - 1)
    return [
        Bin(float(top[inside].mean()), float(right[inside].mean()), int(inside.sum()))
        if (inside := number == index).any()
        else Bin((index + 0.5) / bins, 0.0, 0)
        for index in range(bins)
    ]


def calibration_error(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Expected calibration error over 15 bins: mean gap between confidence and accuracy, 0 to 1."""
    bins = reliability(probabilities, labels)
    gaps = [bin.count * abs(bin.confidence - bin.accuracy) for bin in bins]
    return float(sum(gaps) / len(labels))


def find_mistakes(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], emotion: int, count: int
) -> NDArray[np.int64]:
    """Rows of up to `count` faces labelled `emotion` that were called something else, surest first.

    `probabilities` are [n, 7], `labels` [n]; the rows index both.
    """
    wrong = np.flatnonzero((labels == emotion) & (probabilities.argmax(axis=1) != emotion))
    return wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")][:count]


def softmax(logits: NDArray[np.floating], temperature: float = 1.0) -> NDArray[np.float32]:
    """Probabilities [n, 7] of logits divided by a temperature."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def log_loss(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """Mean negative log likelihood in nats."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    return float((log_sum - shifted[np.arange(len(labels)), labels]).mean())
