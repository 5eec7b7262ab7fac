"""When a training has learned what it can."""

from collections.abc import Sequence
from typing import Protocol


class Scored(Protocol):
    """An epoch, as far as it matters here."""

    number: int
    validation_accuracy: float


def is_lost(patience: int | None, epochs: Sequence[Scored]) -> bool:
    """Whether the last `patience` epochs have brought nothing better than those before them."""
    if not patience or not epochs:
        return False
    # As good is not better, so the first of equals counts, though `fit` keeps the last.
    best = max(epochs, key=lambda epoch: (epoch.validation_accuracy, -epoch.number))
    return len(epochs) - best.number >= patience
