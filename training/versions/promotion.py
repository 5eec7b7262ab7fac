"""Promotes versions, based on this site's own evaluations."""

from collections.abc import Sequence
from typing import Any

from recognition.models import Job, ModelVersion
from recognition.registry import comparison, registry
from recognition.registry.cards import TEST_SPLITS, Comparison, hold_together
from training.models import Evaluation


def promote(
    version: ModelVersion, user: Any = None, *, confirmed: bool = False, reason: str = ""
) -> None:
    """Like registry.promote, but evaluations on a test split take precedence over the cards.

    This covers imported versions too, so no card has to be trusted.
    """
    registry.promote(version, user, confirmed=confirmed, reason=reason, measure=compare_measured)


ALL_SPLITS = (*TEST_SPLITS, "Training")  # each version has its own validation part


def compare(versions: Sequence[ModelVersion]) -> Comparison | None:
    """Versions compared on a split that all were evaluated on here, or else by their cards;
    None if they weren't scored on the same faces."""
    return compare_measured(versions, ALL_SPLITS) or comparison.compare(versions)


def compare_measured(
    versions: Sequence[ModelVersion], splits: Sequence[str] = TEST_SPLITS
) -> Comparison | None:
    """Versions compared on one of these splits that all were evaluated on here, or None."""
    found: dict[tuple[str, str], dict[int, Evaluation]] = {}
    done = Evaluation.objects.filter(status=Job.Status.SUCCEEDED, version__in=versions)
    for one in done.filter(split__in=splits).select_related("dataset"):
        found.setdefault((one.split, str(one.dataset_id)), {})[one.version_id] = one
    # Sorted by name, the test splits come before Training.
    for (split, _dataset), by_version in sorted(found.items()):
        if len(by_version) == len(versions):
            measured = [by_version[version.pk] for version in versions]
            name = f"{split}, {measured[0].dataset.name}"
            return hold_together(name, [one.figures for one in measured])
    return None
