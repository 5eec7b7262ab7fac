"""Model cards: metrics, data, and the comparison of models."""

import json
from collections.abc import Sequence
from typing import Any, TypedDict

from recognition.engine.emotions import EMOTIONS
from recognition.engine.errors import ModelError
from recognition.models.versions import data_hash

Card = dict[str, Any]
"""A model card, with the keys that training/core/release.py writes."""

TEST_SPLITS = ("PrivateTest", "PublicTest")
SPLITS = (*TEST_SPLITS, "validation")
"""On which two models are compared, from the one that says most to the one that says least."""

MOST_BYTES = 1024**2


class ClassDifference(TypedDict):
    """Metrics of one class for each model, in order; differences are relative to the first."""

    emotion: str
    f1: list[float]
    recall: list[float]
    difference: list[float]


class Comparison(TypedDict):
    """Models compared on a split that all were scored on.

    `accuracy`, `mean_recall`, `macro_f1`, `ece` hold one value per model. `confusion` holds, for
    each model after the first, its confusion matrix minus the first one's; rows are the true class.
    """

    split: str
    faces: int
    accuracy: list[float]
    mean_recall: list[float]
    macro_f1: list[float]
    ece: list[float]
    classes: list[ClassDifference]
    confusion: list[list[list[int]]]


def shared_split(*cards: Card) -> str | None:
    """The best split on which all these models were scored on the same faces, or None.

    The same faces means a shared data file and equal counts per class. Validation parts differ
    unless seed and share are the same.
    """
    files = [set(card.get("data", {}).values()) for card in cards]
    if not set.intersection(*files):
        return None
    for split in SPLITS:
        figures = [card.get("figures", {}).get(split) for card in cards]
        if None in figures or not _equal(_support(one) for one in figures):
            continue
        if split in TEST_SPLITS or _equal(_held_out(card) for card in cards):
            return split
    return None


def compare(*cards: Card) -> Comparison | None:
    """Models compared with the first one as the baseline; None without a shared split."""
    split = shared_split(*cards)
    if split is None:
        return None
    return hold_together(split, [card["figures"][split] for card in cards])


def hold_together(split: str, figures: Sequence[dict[str, Any]]) -> Comparison:
    """Metrics of models on the same faces, compared with the first ones."""
    first = figures[0]
    return {
        "split": split,
        "faces": first["faces"],
        "accuracy": [one["accuracy"] for one in figures],
        "mean_recall": [mean_recall(one) for one in figures],
        "macro_f1": [one["macro_f1"] for one in figures],
        "ece": [one["ece"] for one in figures],
        "classes": [
            {
                "emotion": emotion,
                "f1": [one["per_class"][emotion]["f1"] for one in figures],
                "recall": [one["per_class"][emotion]["recall"] for one in figures],
                "difference": [
                    one["per_class"][emotion]["f1"] - first["per_class"][emotion]["f1"]
                    for one in figures
                ],
            }
            for emotion in first["per_class"]
        ],
        "confusion": [
            [
                [count - before for count, before in zip(row, row_before, strict=True)]
                for row, row_before in zip(one["confusion"], first["confusion"], strict=True)
            ]
            for one in figures[1:]
        ],
    }


def mean_recall(figures: dict[str, Any]) -> float:
    """The mean of the classes' recall, without classes that don't occur; of any card's figures."""
    classes = [one for one in figures["per_class"].values() if one["support"]]
    return float(sum(one["recall"] for one in classes) / len(classes)) if classes else 0.0


def read_foreign(content: bytes) -> Card:
    """A card from elsewhere, with its metrics in Mien's form. Raises ModelError invalid_card."""
    try:
        if len(content) > MOST_BYTES:
            raise ValueError("it is larger than 1 MB")
        card = json.loads(content, parse_constant=_refuse_constant)
        if not isinstance(card, dict):
            raise ValueError("it must be a JSON object")
        for key, kind in (("architecture", str), ("config", dict), ("data", dict)):
            if not isinstance(card.get(key, kind()), kind):
                raise ValueError(f"{key!r} is not valid")
        if not all(isinstance(value, str) for value in card.get("data", {}).values()):
            raise ValueError("'data' must give a SHA-256 for each file")
        figures = card.get("figures", {})
        card["figures"] = {split: _known_figures(one) for split, one in figures.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError("invalid_card", f"The card can't be used: {error}.") from error
    return card


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _known_figures(figures: dict[str, Any]) -> dict[str, Any]:
    """The metrics of the splits that Mien knows, as numbers."""
    classes = figures["per_class"]
    confusion = [[int(count) for count in row] for row in figures["confusion"]]
    if [len(row) for row in confusion] != [len(EMOTIONS)] * len(EMOTIONS):
        raise ValueError("a confusion matrix must have 7 rows of 7 counts")
    return {
        "faces": int(figures["faces"]),
        **{key: float(figures[key]) for key in ("accuracy", "macro_f1", "ece")},
        "per_class": {
            emotion: {
                **{key: float(classes[emotion][key]) for key in ("precision", "recall", "f1")},
                "support": int(classes[emotion]["support"]),
            }
            for emotion in EMOTIONS
        },
        "confusion": confusion,
        "reliability": [
            {
                **{key: float(bin[key]) for key in ("confidence", "accuracy")},
                "count": int(bin["count"]),
            }
            for bin in figures.get("reliability", [])
        ],
    }


def _support(figures: dict[str, Any]) -> dict[str, int]:
    return {emotion: one["support"] for emotion, one in figures["per_class"].items()}


def _held_out(card: Card) -> tuple[Any, ...]:
    config = card.get("config", {})
    return (data_hash(card), config.get("seed"), config.get("validation"))


def _equal(values: Any) -> bool:
    first, *others = values
    return all(value == first for value in others)
