"""The events about exports."""

from typing import Literal, TypedDict

from recognition.describe import Message
from recognition.events import owner_group, publish
from recognition.models import Export


class ExportState(TypedDict):
    """An export: `filters` as in a query string, `selected` the number of selected entries.

    `rows_total` is null until the faces are counted, `file_url` until the file exists.
    """

    id: str
    status: str
    format: str
    filters: dict[str, str]
    selected: int | None
    rows_done: int
    rows_total: int | None
    size: int
    created_at: str
    finished_at: str | None
    expires_at: str | None
    sequence: int
    error: Message | None
    file_url: str | None
    codebook_url: str


class ExportChanged(TypedDict):
    type: Literal["export.changed"]
    export: ExportState


class ExportDeleted(TypedDict):
    type: Literal["export.deleted"]
    id: str


def publish_export(export: Export) -> None:
    """Send the new state of an export to its owner's pages."""
    event: ExportChanged = {"type": "export.changed", "export": describe_export(export)}
    publish(owner_group(export.owner_id), event)


def publish_export_deletion(owner_id: int, export_id: str) -> None:
    """Tell the owner's pages that an export was deleted."""
    event: ExportDeleted = {"type": "export.deleted", "id": export_id}
    publish(owner_group(owner_id), event)


def describe_export(export: Export) -> ExportState:
    """The state of an export. Selected ids can be many, so they are only counted."""
    filters = {name: text for name, text in export.filters.items() if name != "id"}
    chosen = export.filters.get("id")
    finished_at, expires_at = export.finished_at, export.expires_at
    error: Message | None = None
    if export.error_code:
        error = {"code": export.error_code, "message": export.error_message}
    return {
        "id": str(export.pk),
        "status": export.status,
        "format": export.format,
        "filters": filters,
        "selected": chosen.count(",") + 1 if chosen else None,
        "rows_done": export.rows_done,
        "rows_total": export.rows_total,
        "size": export.size,
        "created_at": export.created_at.isoformat(),
        "finished_at": finished_at.isoformat() if finished_at else None,
        "expires_at": expires_at.isoformat() if expires_at else None,
        "sequence": export.sequence,
        "error": error,
        "file_url": f"/api/v1/exports/{export.pk}/file/" if export.file else None,
        "codebook_url": f"/api/v1/exports/{export.pk}/codebook/",
    }
