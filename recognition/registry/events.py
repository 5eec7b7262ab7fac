"""The events about model versions."""

from typing import Literal, TypedDict

from recognition.events import STAFF_GROUP, publish


class ModelsChanged(TypedDict):
    """A version was registered, promoted or archived; pages reload what they show."""

    type: Literal["models.changed"]


def publish_models() -> None:
    """Tell administrators' pages that the model versions have changed."""
    event: ModelsChanged = {"type": "models.changed"}
    publish(STAFF_GROUP, event)
