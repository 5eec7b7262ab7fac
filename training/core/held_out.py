"""The part of a data set that a model was not trained on, by what its card says."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.engine.emotions import EMOTIONS

from .config import TrainingConfig
from .faces import Faces, split_off
from .problems import DatasetError

VALIDATION = "validation"


def rows_of(split: str, faces: Faces, card: Mapping[str, Any]) -> NDArray[np.int64]:
    """The rows of a split; of the validation part, those that the model with this card held out.

    Raises DatasetError where the model was trained on other data: it held out none of these.
    """
    if split != VALIDATION:
        return faces.filled(split)
    if "config" in card:
        config = TrainingConfig.from_dict(card["config"])
        rows = split_off(faces, faces.rows("Training"), config.validation, config.seed)[1]
        if _shares_a_file(faces, card) or _counts(faces, rows) == _known_counts(card):
            return rows
    raise DatasetError("This version was trained on other data: it held out none of these.")


def _shares_a_file(faces: Faces, card: Mapping[str, Any]) -> bool:
    return bool(set(card.get("data", {}).values()) & set(faces.sources.values()))


def _counts(faces: Faces, rows: NDArray[np.int64]) -> dict[str, int]:
    """The same faces packed otherwise make another file, but the same part of as many faces of
    each class."""
    counts = np.bincount(faces.labels[rows], minlength=len(EMOTIONS))
    return dict(zip(EMOTIONS, counts.tolist(), strict=True))


def _known_counts(card: Mapping[str, Any]) -> dict[str, int]:
    classes = card.get("figures", {}).get(VALIDATION, {}).get("per_class", {})
    return {emotion: figures["support"] for emotion, figures in classes.items()}
