"""How good a classifier is on labeled faces: figures, mistakes, and the calibrating temperature."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.engine.align import SIDE
from recognition.engine.emotions import EMOTIONS

from .data.faces import Faces

Predict = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Faces uint8 [n, 48, 48] to probabilities [n, 7]."""

_BATCH = 256


BINS = 15

MISTAKES = 8
"""The most that are shown of each class."""

ENLARGED = 2


@dataclass(frozen=True)
class ClassFigures:
    """Figures of one class: three shares between 0 and 1, and its number of faces."""

    precision: float
    recall: float
    f1: float
    support: int


def confusion_matrix(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts [7, 7]: rows are true classes, columns predicted ones."""
    matrix = np.zeros((len(EMOTIONS), len(EMOTIONS)), np.int64)
    np.add.at(matrix, (labels, predicted), 1)
    return matrix


def class_figures(confusion: NDArray[np.int64]) -> dict[str, ClassFigures]:
    """Precision, recall and F1 of each class; 0 if there is nothing to divide by."""
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
    """The mean of the classes' F1, without classes that don't occur."""
    figures = class_figures(confusion_matrix(labels, predicted)).values()
    return float(np.mean([figure.f1 for figure in figures if figure.support]))


@dataclass(frozen=True)
class Bin:
    """Faces whose top probability falls into one interval."""

    confidence: float
    accuracy: float
    count: int


def reliability(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], bins: int = BINS
) -> list[Bin]:
    """Faces in bins of top probability, equally wide from 0 to 1 (Guo et al. 2017)."""
    top = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    number = np.minimum((top * bins).astype(int), bins - 1)
    return [
        Bin(float(top[inside].mean()), float(right[inside].mean()), int(inside.sum()))
        if (inside := number == index).any()
        else Bin((index + 0.5) / bins, 0.0, 0)
        for index in range(bins)
    ]


def mean_recall(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    """The mean of the classes' recall, without classes that don't occur."""
    figures = class_figures(confusion_matrix(labels, predicted)).values()
    return float(np.mean([figure.recall for figure in figures if figure.support]))


def calibration_error(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], *, equal: bool = False
) -> float:
    """Expected calibration error over 15 bins: mean gap between confidence and accuracy, 0 to 1.

    With `equal`, faces are weighted as if each class had the same share of them.
    """
    weights = 1 / np.bincount(labels, minlength=len(EMOTIONS))[labels] if equal else None
    top = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    number = np.minimum((top * BINS).astype(int), BINS - 1)
    ones = np.ones(len(labels)) if weights is None else weights
    gaps = np.bincount(number, ones * (top - right), minlength=BINS)
    return float(np.abs(gaps).sum() / ones.sum())


def find_mistakes(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], emotion: int, count: int
) -> NDArray[np.int64]:
    """Up to `count` rows labeled `emotion` but classified otherwise, most confident first.

    `probabilities` are [n, 7], `labels` [n]; the rows index both.
    """
    wrong = np.flatnonzero((labels == emotion) & (probabilities.argmax(axis=1) != emotion))
    return wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")][:count]


def softmax(logits: NDArray[np.floating], temperature: float = 1.0) -> NDArray[np.float32]:
    """Probabilities [n, 7] from logits [n, 7] divided by a temperature."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def log_loss(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """Mean negative log-likelihood of labels [n] under logits [n, 7], in nats."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    return float((log_sum - shifted[np.arange(len(labels)), labels]).mean())


@dataclass(frozen=True)
class Evaluation:
    """All figures of a classifier on a set of faces; shares are between 0 and 1."""

    faces: int
    accuracy: float
    mean_recall: float
    macro_f1: float
    ece: float
    ece_equal: float
    """The calibration error if every class had the same share of the faces."""
    log_loss: float
    per_class: dict[str, ClassFigures]
    confusion: list[list[int]]
    """As `confusion_matrix`, in the order of EMOTIONS."""
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
    """Figures of `predict` on faces [n, 48, 48] with labels [n]; ValueError for no faces.

    `on_progress` gets the number of faces that are done.
    """
    probabilities = predict_all(predict, images, on_progress)
    return score(probabilities, labels, measure_time(predict))


def predict_all(
    predict: Predict,
    images: NDArray[np.uint8],
    on_progress: Callable[[int], None] = lambda done: None,
) -> NDArray[np.float32]:
    """Probabilities [n, 7] for faces [n, 48, 48], in batches; ValueError for no faces."""
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
    """Figures of probabilities [n, 7] for labels [n]. `milliseconds` is the time per face."""
    labels = np.asarray(labels)
    predicted = probabilities.argmax(axis=1)
    confusion = confusion_matrix(labels, predicted)
    return Evaluation(
        faces=len(labels),
        accuracy=float((predicted == labels).mean()),
        mean_recall=mean_recall(labels, predicted),
        macro_f1=macro_f1(labels, predicted),
        ece=calibration_error(probabilities, labels),
        ece_equal=calibration_error(probabilities, labels, equal=True),
        log_loss=log_loss(np.log(np.maximum(probabilities, 1e-12)), labels),
        per_class=class_figures(confusion),
        confusion=confusion.tolist(),
        reliability=reliability(probabilities, labels),
        milliseconds_per_face=milliseconds,
    )


def measure_time(predict: Predict, repeats: int = 30) -> float:
    """Median milliseconds for a single face, after a few calls to warm up."""
    face = np.random.default_rng(0).integers(0, 256, (1, SIDE, SIDE), np.uint8)
    times = []
    for _ in range(repeats + 3):
        started = time.perf_counter()
        predict(face)
        times.append(time.perf_counter() - started)
    return round(float(np.median(times[3:])) * 1000, 3)


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The temperature to divide logits [n, 7] by to fit labels [n] best, between 0.2 and 5.

    Guo et al. 2017, arXiv 1706.04599, section 4.2. Log loss has a single minimum over the logarithm
    of the temperature; a ternary search finds it.
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


@dataclass(frozen=True)
class Calibration:
    """How logits [n, 7] become probabilities: softmax((logits - strength * log shares) / T).

    Subtracting the logarithm of the classes' `shares` of the training faces takes out what a
    network expects before it has seen the face (Menon et al. 2021, arXiv 2007.07314, equation 9);
    `strength` 0 leaves it as it is, 1 takes it out altogether.
    """

    temperature: float = 1.0
    strength: float = 0.0
    shares: tuple[float, ...] = (1 / len(EMOTIONS),) * len(EMOTIONS)

    @property
    def offsets(self) -> NDArray[np.float32]:
        """What is added to logits [7] before they are divided by the temperature."""
        return np.asarray(-self.strength * np.log(self.shares), np.float32)

    def apply(self, logits: NDArray[np.floating]) -> NDArray[np.float32]:
        """Probabilities [n, 7]."""
        return softmax(logits + self.offsets, self.temperature)

    def to_card(self) -> dict[str, Any]:
        """Its part of a model card."""
        shares = {name: round(share, 5) for name, share in zip(EMOTIONS, self.shares, strict=True)}
        prior = {"strength": round(self.strength, 4), "shares": shares}
        return {"temperature": round(self.temperature, 4), "class_prior": prior}

    @classmethod
    def from_card(cls, card: Mapping[str, Any]) -> "Calibration":
        """That of a card, also of one from before there was a class prior."""
        prior = card.get("class_prior") or {}
        shares = prior.get("shares") or dict.fromkeys(EMOTIONS, 1 / len(EMOTIONS))
        return cls(
            float(card.get("temperature", 1.0)),
            float(prior.get("strength", 0.0)),
            tuple(float(shares[name]) for name in EMOTIONS),
        )


def calibrate(
    logits: NDArray[np.float32],
    labels: NDArray[np.int64],
    shares: NDArray[np.floating],
    cost: float,
) -> Calibration:
    """The calibration that suits logits [n, 7] and labels [n] best, for training shares [7].

    Its strength is the one with the highest mean recall that costs at most `cost` of the accuracy,
    the smallest of equal ones, up to 1; 0 if `cost` is 0. The temperature is fitted afterwards.
    """
    prior = np.maximum(np.asarray(shares, np.float64), 1e-4)
    tried = np.arange(0, 1.001, 0.05) if cost > 0 else np.zeros(1)
    answers = [(logits - strength * np.log(prior)).argmax(axis=1) for strength in tried]
    lowest = (answers[0] == labels).mean() - cost
    recalls = [
        mean_recall(labels, answer) if (answer == labels).mean() >= lowest else 0.0
        for answer in answers
    ]
    strength = float(tried[int(np.argmax(recalls))])
    chosen = Calibration(1.0, round(strength, 4), tuple((prior / prior.sum()).tolist()))
    return replace(chosen, temperature=fit_temperature(logits + chosen.offsets, labels))


@dataclass(frozen=True)
class Examination:
    """The figures of a classifier (`Evaluation.to_dict`) and its most confident mistakes.

    `picture` is gray, with a line for each class that has mistakes. `mistakes` describes its cells:
    line, column, row in the data set, emotion (the label), answer and probability.
    """

    figures: dict[str, Any]
    mistakes: list[dict[str, Any]]
    picture: NDArray[np.uint8] | None


def examine(predict: Predict, faces: Faces, rows: NDArray[np.int64]) -> Examination:
    """Figures and most confident mistakes of `predict` on these rows; ValueError for no rows."""
    images, labels = np.asarray(faces.images[rows]), np.asarray(faces.labels[rows])
    probabilities = predict_all(predict, images)
    figures = score(probabilities, labels, measure_time(predict)).to_dict()
    found = [
        chosen
        for label in range(len(EMOTIONS))
        if len(chosen := find_mistakes(probabilities, labels, label, MISTAKES))
    ]
    mistakes = [
        {
            "line": line,
            "column": column,
            "row": int(rows[index]),
            "emotion": EMOTIONS[int(labels[index])],
            "answer": EMOTIONS[int(probabilities[index].argmax())],
            "probability": round(float(probabilities[index].max()), 4),
        }
        for line, chosen in enumerate(found)
        for column, index in enumerate(chosen)
    ]
    return Examination(figures, mistakes, _draw_mistakes([images[chosen] for chosen in found]))


def _draw_mistakes(lines: list[NDArray[np.uint8]]) -> NDArray[np.uint8] | None:
    if not lines:
        return None
    picture = np.full((len(lines) * SIDE, MISTAKES * SIDE), 255, np.uint8)
    for line, faces in enumerate(lines):
        for column, face in enumerate(faces):
            top, left = line * SIDE, column * SIDE
            picture[top : top + SIDE, left : left + SIDE] = face
    size = (picture.shape[1] * ENLARGED, picture.shape[0] * ENLARGED)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC), np.uint8)
