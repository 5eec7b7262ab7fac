"""Labeled faces in memory, and how they are split into parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.engine.emotions import EMOTIONS

from ..config import TrainingConfig


class DatasetError(ValueError):
    """A data set can't be used. The message names the file or row and the reason."""


AS_IT_IS = np.array([[1, 0, 0], [0, 1, 0]], np.float32)
"""The framing that leaves a face where it is."""

SPLITS = ("Training", "PublicTest", "PrivateTest")
"""FER2013's names for its splits; `Faces.splits` holds indices into them."""

VALIDATION = "validation"
"""The part of Training that a run holds out to choose its best epoch and to calibrate."""


@dataclass(frozen=True)
class Faces:
    """Labeled faces, memory-mapped if they come from the cache.

    images: uint8 [n, 48, 48]
    labels: int64 [n], indices into EMOTIONS
    splits: uint8 [n], indices into SPLITS
    votes: float32 [n, 7], shares of the FER+ taggers' votes; all 0 for a face without votes
    is_face: bool [n], False where most taggers saw no face
    groups: int64 [n], the same number for near-duplicates
    sources: file name -> SHA-256
    framings: float32 [n, 2, 3], affine maps to how the engine would frame each face; None unless
        asked for
    taught: float32 [n, 7], shares that teachers gave each class (see teach.py); all 0 for a face
        they didn't label, None unless asked for
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    splits: NDArray[np.uint8]
    votes: NDArray[np.float32]
    is_face: NDArray[np.bool_]
    groups: NDArray[np.int64]
    sources: dict[str, str]
    framings: NDArray[np.float32] | None = None
    taught: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, split: str) -> NDArray[np.int64]:
        """The row numbers of a split, or all of them for "all"; DatasetError for another name."""
        if split == "all":
            return np.arange(len(self))
        if split not in SPLITS:
            raise DatasetError(f"There is no split {split!r}. Use {', '.join(SPLITS)} or all.")
        return np.flatnonzero(self.splits == SPLITS.index(split))

    def filled(self, split: str) -> NDArray[np.int64]:
        """Like `rows`, but DatasetError if the split is empty."""
        rows = self.rows(split)
        if not len(rows):
            counts = {name: len(self.rows(name)) for name in SPLITS}
            there = ", ".join(f"{name} ({count})" for name, count in counts.items() if count)
            raise DatasetError(f"{split} has no faces. Choose one of {there}.")
        return rows

    def framings_of(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The framings of these rows, [n, 2, 3]; ValueError if they weren't loaded."""
        if self.framings is None:
            raise ValueError(
                "The config needs framings, but the data was loaded without the framings."
            )
        return self.framings[rows]


def split_off(
    faces: Faces, rows: NDArray[np.int64], share: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split rows into the rest and a held-out part of about `share`; gives both, in this order.

    Near-duplicates (`Faces.groups`) stay on one side. At least one group is held out; DatasetError
    if there are fewer than two groups.
    """
    groups = np.unique(faces.groups[rows])
    if len(groups) < 2:
        raise DatasetError(
            "There are too few different faces to train on some and validate on others."
        )
    np.random.default_rng(seed).shuffle(groups)
    position = np.empty(int(faces.groups.max()) + 1, np.int64)
    position[groups] = np.arange(len(groups))
    held_out = position[faces.groups[rows]] < max(1, round(share * len(groups)))
    return rows[~held_out], rows[held_out]


def rows_of(split: str, faces: Faces, card: Mapping[str, Any]) -> NDArray[np.int64]:
    """The rows of a split, or the part of Training that the model with this card held out.

    Raises DatasetError for an empty split, and for VALIDATION if the model was trained on other
    data.
    """
    if split != VALIDATION:
        return faces.filled(split)
    if "config" in card:
        config = TrainingConfig.from_dict(card["config"])
        rows = split_off(faces, faces.rows("Training"), config.validation, config.seed)[1]
        if _shares_a_file(faces, card) or _counts(faces, rows) == _known_counts(card):
            return rows
    raise DatasetError(
        "This version was trained on other data, so none of these faces was held out."
    )


def _shares_a_file(faces: Faces, card: Mapping[str, Any]) -> bool:
    return bool(set(card.get("data", {}).values()) & set(faces.sources.values()))


def _counts(faces: Faces, rows: NDArray[np.int64]) -> dict[str, int]:
    """Faces per class. They give away the same data in another file, whose hash differs."""
    counts = np.bincount(faces.labels[rows], minlength=len(EMOTIONS))
    return dict(zip(EMOTIONS, counts.tolist(), strict=True))


def _known_counts(card: Mapping[str, Any]) -> dict[str, int]:
    classes = card.get("figures", {}).get(VALIDATION, {}).get("per_class", {})
    return {emotion: figures["support"] for emotion, figures in classes.items()}
