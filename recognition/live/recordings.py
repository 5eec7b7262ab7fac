"""Kept webcam sessions: numbers, no pictures, stored while the session runs."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from recognition import events
from recognition.describe import describe_tracks
from recognition.engine.types import BoundingBox, TrackedFace
from recognition.jobs import lease, work
from recognition.models import Analysis, Face, ModelVersion, Track

TITLE = "Webcam session"


INTERRUPTED = {
    "code": "interrupted",
    "message": "The session was interrupted. Everything stored until then is here.",
}


@dataclass(frozen=True)
class Row:
    """A face in one frame; time in seconds since recording began."""

    time: float
    track: int
    box: BoundingBox
    score: float
    probabilities: tuple[float, ...]
    emotion: str
    measures: list[float | None] | None
    covered: float | None


class Recorder:
    """Collects a session's faces and stores them from time to time; call `store` in a thread."""

    def __init__(self, owner_id: int, now: float) -> None:
        self.analysis = begin(owner_id)
        self.began_at = now
        self.frames = 0
        self._size: tuple[int, int] | None = None
        self._version: int | None = None
        self._rows: list[Row] = []

    @property
    def url(self) -> str:
        return self.analysis.get_absolute_url()

    def note(
        self, faces: Iterable[TrackedFace], time: float, size: tuple[int, int], version: int
    ) -> None:
        """Remember a frame that arrived at `time` (monotonic seconds) and the faces in it."""
        self.frames += 1
        self._size, self._version = size, version
        for tracked in faces:
            detection, prediction = tracked.face.detection, tracked.face.prediction
            found = tracked.face.findings
            self._rows.append(
                Row(
                    time - self.began_at,
                    tracked.track,
                    detection.box,
                    detection.score,
                    prediction.probabilities,
                    prediction.emotion,
                    found.values if found else None,
                    found.covered if found else None,
                )
            )

    def store(self, now: float) -> bool:
        """Write the collected rows; False if the session was deleted or given up meanwhile.

        If the database fails, nothing is lost: the next call writes them.
        """
        rows = list(self._rows)
        seconds = now - self.began_at
        held = append(self.analysis, rows, self.frames, seconds, self._size, self._version)
        del self._rows[: len(rows)]
        return held

    def finish(self, now: float) -> None:
        """Write the rest and end the kept session."""
        if self.store(now):
            finish(self.analysis)


def begin(owner_id: int) -> Analysis:
    """Start a recording: a running analysis whose lease the socket renews."""
    now = timezone.now()
    analysis = Analysis.objects.create(
        owner_id=owner_id,
        kind=Analysis.Kind.WEBCAM,
        status=Analysis.Status.RUNNING,
        title=TITLE,
        started_at=now,
        seconds=0.0,
        lease_owner=str(uuid.uuid4()),
        lease_expires_at=now + timedelta(seconds=settings.LEASE_SECONDS),
    )
    events.publish_change(analysis)
    return analysis


def append(
    analysis: Analysis,
    rows: Sequence[Row],
    frames: int,
    seconds: float,
    size: tuple[int, int] | None,
    version: int | None,
) -> bool:
    """Store rows and renew the lease; False if the session was deleted or given up meanwhile.

    `frames` and `seconds` cover the whole session so far, `size` is its frames' size in pixels,
    `version` the number of the model version in use.
    """
    values: dict[str, Any] = {"width": size[0], "height": size[1]} if size else {}
    if version is not None and analysis.model_version_id is None:
        values["model_version"] = ModelVersion.objects.get(number=version)
    with transaction.atomic():
        held = lease.change(analysis, frame_count=frames, seconds=round(seconds, 2), **values)
        if held and rows:
            tracks = _tracks(analysis, {row.track for row in rows})
            Face.objects.bulk_create(_face(analysis, tracks[row.track], row) for row in rows)
    return held


def finish(analysis: Analysis, notices: Iterable[dict[str, str]] = ()) -> bool:
    """End a kept session; False if it had ended already."""
    tracks = describe_tracks(analysis)
    analysis.sum_up_tracks()
    longest = max(tracks, key=lambda track: track["frames"], default=None)
    return work.finish(
        analysis,
        face_count=len(tracks),
        emotion=longest["emotion"] if longest else "",
        notices=list(notices),
    )


def finish_interrupted() -> None:
    """End the sessions whose socket vanished, for example in a crash; their rows are kept."""
    for analysis in lease.abandoned(Analysis.objects.filter(kind=Analysis.Kind.WEBCAM)):
        finish(analysis, [INTERRUPTED])


def _tracks(analysis: Analysis, numbers: set[int]) -> dict[int, Track]:
    """The tracks with these numbers, created if new."""
    known = {track.number: track for track in analysis.tracks.filter(number__in=numbers)}
    new = [Track(analysis=analysis, number=number) for number in sorted(numbers - known.keys())]
    return known | {track.number: track for track in Track.objects.bulk_create(new)}


def _face(analysis: Analysis, track: Track, row: Row) -> Face:
    return Face(
        analysis=analysis,
        track=track,
        time=round(row.time, 3),
        x=row.box.x,
        y=row.box.y,
        width=row.box.width,
        height=row.box.height,
        score=row.score,
        probabilities=row.probabilities,
        emotion=row.emotion,
        probability=max(row.probabilities),
        measures=row.measures,
        covered=row.covered,
    )
