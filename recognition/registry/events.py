"""What pages hear of model versions."""

from typing import Literal, TypedDict

from recognition.events import STAFF_GROUP, publish


class ModelsChanged(TypedDict):
    """A version was registered, promoted or put aside: what pages show of them is read again."""

    type: Literal["models.changed"]


def publish_models() -> None:
    """Tell the pages of administrators that the model versions are others, or used otherwise."""
    event: ModelsChanged = {"type": "models.changed"}
    publish(STAFF_GROUP, event)
