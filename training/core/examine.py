"""A classifier on labelled faces: its figures, and what it got most surely wrong as a picture."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.engine.align import SIDE
from recognition.engine.emotions import EMOTIONS

from .evaluate import Predict, measure_time, predict_all, score
from .faces import Faces
from .figures import find_mistakes

MISTAKES = 8
"""At most so many of each class."""

ENLARGED = 2


@dataclass(frozen=True)
class Examination:
    """`figures` as Evaluation.to_dict gives them. `picture` is gray, with a row for each class that
    has mistakes; `mistakes` are its cells: line, column, row in the data set, emotion (the label),
    answer, probability."""

    figures: dict[str, Any]
    mistakes: list[dict[str, Any]]
    picture: NDArray[np.uint8] | None


def examine(predict: Predict, faces: Faces, rows: NDArray[np.int64]) -> Examination:
    """Figures and surest mistakes of `predict` on these rows; ValueError where there are none."""
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
    return Examination(figures, mistakes, _draw([images[chosen] for chosen in found]))


def _draw(lines: list[NDArray[np.uint8]]) -> NDArray[np.uint8] | None:
    if not lines:
        return None
    picture = np.full((len(lines) * SIDE, MISTAKES * SIDE), 255, np.uint8)
    for line, faces in enumerate(lines):
        for column, face in enumerate(faces):
            top, left = line * SIDE, column * SIDE
            picture[top : top + SIDE, left : left + SIDE] = face
    size = (picture.shape[1] * ENLARGED, picture.shape[0] * ENLARGED)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC), np.uint8)
