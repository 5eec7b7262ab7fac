"""What the browser is told: one TypedDict per payload, the group names, and publish()."""

import asyncio
import functools
import logging
import threading
from typing import Literal, NotRequired, TypedDict

from channels.layers import get_channel_layer
from django.urls import reverse
from redis.exceptions import RedisError

from recognition import quality
from recognition.engine.emotions import EMOTIONS
from recognition.models import Analysis, Export, Face

logger = logging.getLogger(__name__)

SEND_SECONDS = 5


class Message(TypedDict):
    """A sentence for people and a stable code for programs."""

    code: str
    message: str


class FaceState(TypedDict):
    """A face as the REST API gives it; coordinates in pixels of the upright photo."""

    id: int
    box: dict[str, float]
    score: float
    landmarks: dict[str, list[float]]
    probabilities: dict[str, float]
    emotion: str
    quality: list[Literal["small", "blurred", "turned"]]  # why the reading may be less certain
    correction: str | None  # what the owner says it shows: an expression, or "not_a_face"
    corrected_at: str | None


class FoundFace(FaceState):
    """A face in the list of all faces; `track` and `time` for those of a webcam session."""

    analysis: str
    track: int | None
    time: float | None


class Series(TypedDict):
    """How the probabilities of a track went; times in seconds, one probability for each time."""

    times: list[float]
    probabilities: dict[str, list[float]]


class TrackState(TypedDict):
    """A face across the frames of a session; `first` and `last` in seconds, probabilities mean."""

    number: int
    first: float
    last: float
    frames: int
    emotion: str
    probabilities: dict[str, float]
    series: Series


class AnalysisSummary(TypedDict):
    """An analysis as lists and events give it."""

    id: str
    kind: str
    status: str
    title: str
    notes: str
    tags: list[str]
    created_at: str
    started_at: str | None
    finished_at: str | None
    width: int | None
    height: int | None
    sequence: int
    face_count: int
    emotion: str | None
    model_version: int | None
    milliseconds: dict[str, float] | None
    seconds: float | None
    frame_count: int
    error: Message | None
    retryable: bool  # a failed or canceled one whose upload is kept
    notices: list[Message]
    url: str
    photo_url: str | None
    thumbnail_url: str | None


class AnalysisState(AnalysisSummary):
    """An analysis with what was found: photos have `faces`, sessions have `tracks`."""

    faces: NotRequired[list[FaceState]]
    tracks: NotRequired[list[TrackState]]


class AnalysisChanged(TypedDict):
    type: Literal["analysis.changed"]
    analysis: AnalysisSummary


class AnalysisDeleted(TypedDict):
    type: Literal["analysis.deleted"]
    id: str


class ExportState(TypedDict):
    """An export: `filters` as in an address, `selected` the number of entries chosen by hand.

    `rows_total` is null until the faces were counted, `file_url` until the file is there.
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


class ExportChanged(TypedDict):
    type: Literal["export.changed"]
    export: ExportState


class ExportDeleted(TypedDict):
    type: Literal["export.deleted"]
    id: str


class ModelsChanged(TypedDict):
    """A version was registered, promoted or put aside: what pages show of them is read again."""

    type: Literal["models.changed"]


Event = AnalysisChanged | AnalysisDeleted | ExportChanged | ExportDeleted | ModelsChanged

STAFF_GROUP = "staff"
"""The group of the sockets of administrators."""


def owner_group(owner_id: int) -> str:
    """The group of all sockets of one person."""
    return f"owner-{owner_id}"


def publish_change(analysis: Analysis) -> None:
    """Tell the owner's pages the new state of an analysis."""
    event: AnalysisChanged = {"type": "analysis.changed", "analysis": describe_analysis(analysis)}
    publish(owner_group(analysis.owner_id), event)


def publish_deletion(owner_id: int, analysis_id: str) -> None:
    """Tell the owner's pages that an analysis is gone."""
    event: AnalysisDeleted = {"type": "analysis.deleted", "id": analysis_id}
    publish(owner_group(owner_id), event)


def publish_export(export: Export) -> None:
    """Tell the owner's pages the new state of an export."""
    event: ExportChanged = {"type": "export.changed", "export": describe_export(export)}
    publish(owner_group(export.owner_id), event)


def publish_export_deletion(owner_id: int, export_id: str) -> None:
    """Tell the owner's pages that an export is gone."""
    event: ExportDeleted = {"type": "export.deleted", "id": export_id}
    publish(owner_group(owner_id), event)


def publish_models() -> None:
    """Tell the pages of administrators that the model versions are others, or used otherwise."""
    event: ModelsChanged = {"type": "models.changed"}
    publish(STAFF_GROUP, event)


def publish(group: str, event: Event) -> None:
    """Send an event to a group. Events are hints: one that cannot be sent fails no work."""
    sending = get_channel_layer().group_send(group, {"type": "forward", "event": event})
    try:
        asyncio.run_coroutine_threadsafe(sending, event_loop()).result(SEND_SECONDS)
    except (RedisError, OSError, TimeoutError) as error:
        logger.warning("Event %s to %s was not sent: %s", event["type"], group, error)


@functools.cache
def event_loop() -> asyncio.AbstractEventLoop:
    """A loop of this process for events, in a thread of its own.

    The channel layer keeps its connections per loop; a new loop for each event, as async_to_sync
    makes them in a worker, would connect to Redis each time.
    """
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="events", daemon=True).start()
    return loop


def describe_analysis(analysis: Analysis) -> AnalysisSummary:
    """The state of an analysis without its faces."""

    def iso(moment):
        return moment.isoformat() if moment else None

    def address(name, present):
        return reverse(name, args=[analysis.pk]) if present else None

    error: Message | None = None
    if analysis.error_code:
        error = {"code": analysis.error_code, "message": analysis.error_message}
    return {
        "id": str(analysis.pk),
        "kind": analysis.kind,
        "status": analysis.status,
        "title": analysis.title,
        "notes": analysis.notes,
        "tags": analysis.tags,
        "created_at": analysis.created_at.isoformat(),
        "started_at": iso(analysis.started_at),
        "finished_at": iso(analysis.finished_at),
        "width": analysis.width,
        "height": analysis.height,
        "sequence": analysis.sequence,
        "face_count": analysis.face_count,
        "emotion": analysis.emotion or None,
        "model_version": analysis.model_version.number if analysis.model_version else None,
        "milliseconds": analysis.milliseconds,
        "seconds": analysis.seconds,
        "frame_count": analysis.frame_count,
        "error": error,
        "retryable": analysis.is_retryable,
        "notices": analysis.notices,
        "url": analysis.get_absolute_url(),
        "photo_url": address("analysis-photo", analysis.photo),
        "thumbnail_url": address("analysis-thumbnail", analysis.thumbnail),
    }


def describe_export(export: Export) -> ExportState:
    """The state of an export. The ids of entries chosen by hand are many, so only counted."""
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
        "file_url": reverse("api-export-file", args=[export.pk]) if export.file else None,
    }


def describe_with_faces(analysis: Analysis) -> AnalysisState:
    """The state of an analysis with all its faces."""
    faces = [describe_face(face) for face in analysis.faces.all()]
    return {**describe_analysis(analysis), "faces": faces}


def describe_found_face(face: Face) -> FoundFace:
    """A face with the analysis that it belongs to."""
    return {
        **describe_face(face),
        "analysis": str(face.analysis_id),
        "track": face.track.number if face.track else None,
        "time": face.time,
    }


def describe_face(face: Face) -> FaceState:
    return {
        "id": face.pk,
        "box": {"x": face.x, "y": face.y, "width": face.width, "height": face.height},
        "score": face.score,
        "landmarks": face.landmarks,
        "probabilities": dict(zip(EMOTIONS, face.probabilities, strict=True)),
        "emotion": face.emotion,
        "quality": quality.hints(face),
        "correction": face.correction or None,
        "corrected_at": face.corrected_at.isoformat() if face.corrected_at else None,
    }
