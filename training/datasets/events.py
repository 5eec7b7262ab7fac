"""The events about data sets."""

from typing import Any, Literal, TypedDict

from recognition.describe import Message
from recognition.events import STAFF_GROUP as GROUP
from recognition.events import publish
from training.describe import _error
from training.models import Dataset


class DatasetState(TypedDict):
    """A data set; `report` as training.core.inspection.Report, empty before the check."""

    id: str
    name: str
    status: str
    sequence: int
    uploaded: bool
    file: str
    votes_file: str | None
    size: int
    sha256: str
    leave_out_unknown: bool
    class_order: str
    created_at: str
    report: dict[str, Any]
    error: Message | None
    sheet_url: str | None


class DatasetChanged(TypedDict):
    type: Literal["dataset.changed"]
    dataset: DatasetState


class DatasetDeleted(TypedDict):
    type: Literal["dataset.deleted"]
    id: str


def publish_dataset(dataset: Dataset) -> None:
    event: DatasetChanged = {"type": "dataset.changed", "dataset": describe_dataset(dataset)}
    publish(GROUP, event)


def publish_dataset_deletion(pk: str) -> None:
    event: DatasetDeleted = {"type": "dataset.deleted", "id": pk}
    publish(GROUP, event)


def describe_dataset(dataset: Dataset) -> DatasetState:
    return {
        "id": str(dataset.pk),
        "name": dataset.name,
        "status": dataset.status,
        "sequence": dataset.sequence,
        "uploaded": dataset.uploaded,
        "file": dataset.path.rsplit("/", 1)[-1],
        "votes_file": dataset.votes_path.rsplit("/", 1)[-1] or None,
        "size": dataset.size,
        "sha256": dataset.sha256,
        "leave_out_unknown": dataset.leave_out_unknown,
        "class_order": dataset.class_order,
        "created_at": dataset.created_at.isoformat(),
        "report": dataset.report,
        "error": _error(dataset),
        "sheet_url": f"/api/v1/datasets/{dataset.pk}/sheet/" if dataset.sheet else None,
    }
