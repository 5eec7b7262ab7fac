"""How rows are shown to the outside: a TypedDict each, for pages, events, webhooks and the API."""

from collections import defaultdict
from datetime import datetime
from typing import NotRequired, TypedDict, cast

import numpy as np
from django.utils import timezone

from recognition.engine.emotions import EMOTIONS
from recognition.face_states import FaceState, describe_face
from recognition.models import Analysis, Export, Job


class Message(TypedDict):
    """A sentence for people and a stable code for programs."""

    code: str
    message: str


class Series(TypedDict):
    """A track's probabilities over time; times in seconds, one probability for each time."""

    times: list[float]
    probabilities: dict[str, list[float]]


class TrackState(TypedDict):
    """A face across the frames of a session; `first` and `last` in seconds, mean probabilities."""

    number: int
    first: float
    last: float
    frames: int
    emotion: str
    probabilities: dict[str, float]
    series: Series


class VideoState(TypedDict):
    """How a video is read, and what its file is; times in seconds, `fps` null for every frame.

    `share` is the part of the `planned` frames that was read so far, `speed` frames a second.
    `missing` counts instants that could not be read, by reason. `live`: the tracks are still those
    of the live session during which the video was recorded.
    """

    fps: float | None
    start: float
    end: float | None
    keep_audio: bool
    recorded: bool
    live: bool
    codec: str
    frame_rate: float | None
    frames: int
    planned: int
    missing: dict[str, int]
    share: float
    speed: float | None
    seconds_left: float | None
    media_url: str | None
    media_type: str | None


class ExportState(TypedDict):
    """An export: `filters` as in a query string, `selected` the number of selected entries.

    `rows_total` is null until the faces are counted, `file_url` until the file exists. For an
    annotated video rows are frames, for everything they are entries, and there is no codebook.
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
    codebook_url: str | None


class AnalysisSummary(TypedDict):
    """An analysis as in lists and events."""

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
    face_mode: str  # how faces were looked for: auto, detect, whole
    detail: str  # normal, high
    detector: str  # fast, balanced, thorough
    error: Message | None
    retryable: bool  # failed or canceled, and the upload is kept
    keep: str  # of the picture itself: picture, blurred, numbers
    notices: list[Message]
    url: str
    photo_url: str | None
    thumbnail_url: str | None
    video: VideoState | None


class AnalysisState(AnalysisSummary):
    """An analysis with its results: photos have `faces`, sessions have `tracks`."""

    faces: NotRequired[list[FaceState]]
    tracks: NotRequired[list[TrackState]]


def describe_analysis(analysis: Analysis) -> AnalysisSummary:
    """The state of an analysis without its faces."""

    def iso(moment: datetime | None) -> str | None:
        return moment.isoformat() if moment else None

    url = analysis.get_absolute_url()
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
        "face_mode": analysis.face_mode,
        "detail": analysis.detail,
        "detector": analysis.detector,
        "error": error_of(analysis),
        "retryable": analysis.is_retryable,
        "keep": analysis.keep,
        "notices": analysis.notices,
        "url": url,
        "photo_url": f"{url}photo/" if analysis.photo else None,
        "thumbnail_url": f"{url}thumbnail/" if analysis.thumbnail else None,
        "video": describe_video(analysis) if analysis.kind == Analysis.Kind.VIDEO else None,
    }


def error_of(job: Job) -> Message | None:
    """Why a job failed, if it did."""
    if not job.error_code:
        return None
    return {"code": job.error_code, "message": job.error_message}


def describe_video(analysis: Analysis) -> VideoState:
    video, media = analysis.video, str(analysis.media)
    wanted = video.planned - video.missing.get("no_frame", 0)
    share = min(1.0, analysis.frame_count / wanted) if wanted else 0.0
    speed = left = None
    if analysis.started_at and analysis.status == Analysis.Status.RUNNING:
        elapsed = (timezone.now() - analysis.started_at).total_seconds()
        speed = round(analysis.frame_count / max(elapsed, 0.1), 1)
        left = round((wanted - analysis.frame_count) / speed, 1) if speed and share < 1 else None
    return {
        "fps": video.fps,
        "start": video.start,
        "end": video.end,
        "keep_audio": video.keep_audio,
        "recorded": video.recorded,
        "live": video.session_id is not None and analysis.status != Analysis.Status.SUCCEEDED,
        "codec": video.codec,
        "frame_rate": video.frame_rate,
        "frames": video.frames,
        "planned": video.planned,
        "missing": video.missing,
        "share": 1.0 if analysis.status == Analysis.Status.SUCCEEDED else round(share, 4),
        "speed": speed,
        "seconds_left": left,
        "media_url": f"{analysis.get_absolute_url()}media/" if media else None,
        "media_type": f"video/{media.rpartition('.')[2]}" if media else None,
    }


def describe_with_faces(analysis: Analysis) -> AnalysisState:
    """The state of an analysis with all its faces."""
    state = cast(AnalysisState, describe_analysis(analysis))
    state["faces"] = [describe_face(face) for face in analysis.faces.defer("mesh")]
    return state


MOST_POINTS = 600
"""Points in a track's series; a longer series is averaged over equal intervals."""


def describe_with_tracks(analysis: Analysis) -> AnalysisState:
    """The state of a session with its tracks."""
    state = cast(AnalysisState, describe_analysis(analysis))
    state["tracks"] = describe_tracks(analysis)
    return state


def describe_tracks(analysis: Analysis) -> list[TrackState]:
    """Each track's mean probabilities and their series."""
    rows = analysis.faces.exclude(track=None).order_by("time", "pk")
    faces: dict[int, list[tuple[float, list[float]]]] = defaultdict(list)
    for number, time, probabilities in rows.values_list("track__number", "time", "probabilities"):
        faces[number].append((time or 0.0, probabilities))
    return [_describe_track(number, faces[number]) for number in sorted(faces)]


def _describe_track(number: int, faces: list[tuple[float, list[float]]]) -> TrackState:
    times = np.array([time for time, _ in faces])
    probabilities = np.array([row for _, row in faces])
    mean = probabilities.mean(axis=0)
    stretches = np.array_split(np.arange(len(times)), min(MOST_POINTS, len(times)))
    points = np.array([probabilities[part].mean(axis=0) for part in stretches]).round(3)
    return {
        "number": number,
        "first": float(times[0]),
        "last": float(times[-1]),
        "frames": len(times),
        "emotion": EMOTIONS[int(mean.argmax())],
        "probabilities": dict(zip(EMOTIONS, mean.round(4).tolist(), strict=True)),
        "series": {
            "times": [round(float(times[part].mean()), 2) for part in stretches],
            "probabilities": {
                emotion: points[:, index].tolist() for index, emotion in enumerate(EMOTIONS)
            },
        },
    }


def describe_in_full(analysis: Analysis) -> AnalysisState:
    """The state of an analysis with its results: faces, or the tracks of a session or video."""
    if analysis.kind != Analysis.Kind.IMAGE:
        return describe_with_tracks(analysis)
    return describe_with_faces(analysis)


# What begins a formula in a spreadsheet (OWASP, CSV injection), the full-width forms included.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def as_text(value: str) -> str:
    """A cell that spreadsheets show as text and don't evaluate."""
    return f"'{value}" if value.startswith(FORMULA) else value


def describe_export(export: Export) -> ExportState:
    """The state of an export. Selected ids can be many, so they are only counted."""
    filters = {name: text for name, text in export.filters.items() if name != "id"}
    chosen = export.filters.get("id")
    finished_at, expires_at = export.finished_at, export.expires_at
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
        "error": error_of(export),
        "file_url": f"/api/v1/exports/{export.pk}/file/" if export.file else None,
        "codebook_url": f"/api/v1/exports/{export.pk}/codebook/" if export.is_table else None,
    }
