"""The events about model versions."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, TypedDict

from recognition import metrics
from recognition.events import STAFF_GROUP, publish
from recognition.models import ModelVersion

if TYPE_CHECKING:
    from prometheus_client.core import Metric


class ModelsChanged(TypedDict):
    """A version was registered, promoted or archived; pages reload what they show."""

    type: Literal["models.changed"]


def model_metrics() -> Iterable["Metric"]:
    """The number of the version that reads expressions."""
    info = metrics.gauge("model_info", "The active version.", "version", "architecture")
    for number, architecture in ModelVersion.objects.filter(active=True).values_list(
        "number", "architecture"
    ):
        info.add_metric([str(number), architecture], 1)
    return [info]


metrics.SOURCES["model"] = model_metrics


def publish_models() -> None:
    """Tell administrators' pages that the model versions have changed."""
    event: ModelsChanged = {"type": "models.changed"}
    publish(STAFF_GROUP, event)
