"""Labelled faces in memory, and how they are cut into parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.engine.emotions import EMOTIONS

from ..config import TrainingConfig


class DatasetError(ValueError):
    """A data set cannot be used; the message names the file or row and the reason."""


AS_IT_IS = np.array([[1, 0, 0], [0, 1, 0]], np.float32)
"""The framing that leaves a face where it is."""

SPLITS = ("Training", "PublicTest", "PrivateTest")
"""FER2013's own names of its splits, in the order of the numbers in `Faces.splits`."""

VALIDATION = "validation"
"""The part of Training that a run holds out (see `split_off`)."""


@dataclass(frozen=True)
class Faces:
    """Labelled faces, memory-mapped where they come from the cache.

    images: uint8 [n, 48, 48]. labels: int64 [n], indices into EMOTIONS. splits: uint8 [n], indices
    into SPLITS. votes: float32 [n, 7], shares of the taggers' votes, all zero where there are none.
    is_face: bool [n]. groups: int64 [n], the same number for near-duplicate images.
    sources: file name -> SHA-256. framings: float32 [n, 2, 3], maps to how the engine would frame
    each face; None where nobody asked for them. taught: float32 [n, 7], the teachers' shares (see
    `teach`), all zero where there are none; None where nobody asked for them.
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
        """The row numbers of a split by its name, or of everything for "all"."""
        if split == "all":
            return np.arange(len(self))
        if split not in SPLITS:
            raise DatasetError(f"There is no split {split!r}; use {', '.join(SPLITS)} or all.")
        return np.flatnonzero(self.splits == SPLITS.index(split))

    def filled(self, split: str) -> NDArray[np.int64]:
        """As `rows`, but DatasetError where there are none."""
        rows = self.rows(split)
        if not len(rows):
            counts = {name: len(self.rows(name)) for name in SPLITS}
            there = ", ".join(f"{name} ({count})" for name, count in counts.items() if count)
            raise DatasetError(f"{split} has no faces; choose among {there}.")
        return rows

    def framings_of(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The framings of rows, [n, 2, 3]; ValueError where the faces were loaded without."""
        if self.framings is None:
            raise ValueError("The data were loaded without the framings that the config asks for.")
        return self.framings[rows]


def split_off(
    faces: Faces, rows: NDArray[np.int64], share: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cut rows into those that stay and about `share` of them held out, groups kept on one side.

    At least one group is held out; where that would leave none, DatasetError says so.
    """
    groups = np.unique(faces.groups[rows])
    if len(groups) < 2:
        raise DatasetError("There are too few different faces to train on some and hold out some.")
    np.random.default_rng(seed).shuffle(groups)
    position = np.empty(int(faces.groups.max()) + 1, np.int64)
    position[groups] = np.arange(len(groups))
    held_out = position[faces.groups[rows]] < max(1, round(share * len(groups)))
    return rows[~held_out], rows[held_out]


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
