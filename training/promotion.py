"""The promotion of a version, guarded by what this site has measured itself."""

from typing import Any

from recognition import registry
from recognition.models import ModelVersion
from training.events import compare_measured


def promote(
    version: ModelVersion, user: Any = None, *, confirmed: bool = False, reason: str = ""
) -> None:
    """As registry.promote, but evaluations on a test split come before what the cards say.

    Those count for imported versions, too: no card has to be believed.
    """
    registry.promote(version, user, confirmed=confirmed, reason=reason, measure=compare_measured)
