"""How a video is read: prepared, divided into parts that several workers take, put together."""

import base64
import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from recognition import describe, events
from recognition.engine.emotions import EMOTIONS
from recognition.engine.errors import MediaError
from recognition.engine.video import interval_of
from recognition.jobs import lease, work
from recognition.jobs.files import delete_files
from recognition.models import Analysis, Face, Track, Video, VideoPart
from recognition.programs import webhooks
from recognition.registry import registry, version_files
from recognition.videos import readers, tracks

logger = logging.getLogger(__name__)

Status = Analysis.Status

RETRYABLE = ~Q(source="")  # the upload of an unreadable video is not kept

STORE_EVERY = 0.8  # seconds between two writes of a segment's rows; the first comes sooner
FIRST_STORE = 0.3
CHECK_EVERY = 0.7  # seconds after which a worker notices that its video was canceled
TRACKS_PER_SECOND = 1000  # of provisional numbers, by the millisecond

INCOMPLETE: describe.Message = {
    "code": "incomplete_video",
    "message": "The end of this video's file is missing. The part that is there was analyzed.",
}
PARTS_FAILED: describe.Message = {
    "code": "parts_missing",
    "message": "Some parts of this video could not be read. The rest was analyzed.",
}
NO_COPY: describe.Message = {
    "code": "no_player_copy",
    "message": "This video could not be converted for the player. Its expressions are complete.",
}


# --- Preparing --------------------------------------------------------------------------------


def prepare(analysis: Analysis) -> None:
    """Look at a video that this worker has claimed, and queue the parts of its work.

    From then on no worker holds the analysis: it runs until the last of its parts has ended.
    """
    source, video = str(analysis.source.name), analysis.video
    try:
        found = _inspected(source, video)
    except MediaError as error:
        if work.fail(analysis, error.code, error.message, source=""):
            delete_files([source])
        return
    version = analysis.requested_version or registry.active_version()
    version_files.read_onnx(version)  # checked once here, read by its path later
    picture = ContentFile(base64.b64decode(found["thumbnail"]))
    thumbnail = default_storage.save(f"thumbnails/{analysis.pk}.jpg", picture)
    header = found["header"]
    with transaction.atomic():
        held = lease.change(
            analysis,
            lease_owner="",
            lease_expires_at=None,
            worker="",
            width=header["width"],
            height=header["height"],
            seconds=round(header["seconds"], 3),
            thumbnail=thumbnail,
            stored_bytes=picture.size,
            model_version=version,
            notices=[*analysis.notices, *([INCOMPLETE] if header["incomplete"] else [])],
        )
        if held:
            _divide(analysis, header, found["stretches"])
    if held:
        events.publish_change(analysis)
    else:
        delete_files([thumbnail])


def _inspected(source: str, video: Video) -> dict[str, Any]:
    options: dict[str, Any] = {"fps": video.fps, "start": video.start, "end": video.end}
    options["samples"] = settings.VIDEO_SEGMENT_SAMPLES
    found: dict[str, Any] = {}
    for line in readers.ask("inspect", path=default_storage.path(source), **options):
        found |= line or {}
    return found


def _divide(analysis: Analysis, header: dict[str, Any], stretches: list[dict[str, Any]]) -> None:
    facts = {name: header[name] for name in ("container", "codec", "audio_codec", "frames")}
    planned = sum(stretch["planned"] for stretch in stretches)
    without = planned - sum(stretch["present"] for stretch in stretches)
    Video.objects.filter(pk=analysis.pk).update(
        **facts,
        frame_rate=round(header["frame_rate"], 3),
        planned=planned,
        missing={"no_frame": without} if without else {},
    )
    analysis.video.refresh_from_db()
    parts = [
        VideoPart(
            analysis=analysis,
            task=VideoPart.Task.READ,
            start=stretch["start"],
            end=stretch["end"],
            position=stretch["start"],
            next_number=stretch["first_number"],
            planned=stretch["planned"],
            present=stretch["present"],
        )
        for stretch in stretches
    ]
    # After the first segment, whose rows the page waits for.
    parts.insert(1, VideoPart(analysis=analysis, task=VideoPart.Task.COPY, end=header["seconds"]))
    for part in parts:
        part.save(force_insert=True)
        work.submit(part)


# --- Parts ------------------------------------------------------------------------------------


def carry_out(part: VideoPart) -> None:
    """Do a part of the work that this worker has claimed."""
    with suppress(Unwanted):
        (copy if part.task == VideoPart.Task.COPY else read)(part)


def read(part: VideoPart) -> None:
    """Read a segment from where the last worker stopped, storing its rows as they come."""
    analysis = part.analysis
    version, video = analysis.model_version, analysis.video
    assert version is not None
    began_at, rows = part.position, _Rows(part)
    lines = readers.ask(
        "read",
        path=default_storage.path(str(analysis.source.name)),
        model=default_storage.path(str(version.onnx.name)),
        width=analysis.width,
        height=analysis.height,
        fps=video.fps,
        detail=analysis.detail,
        start=part.position,
        end=part.end,
        first_number=part.next_number,
    )
    store_at = time.monotonic() + FIRST_STORE
    for line in _while_wanted(part, lines):
        if line and "pictures" in line:
            rows.pictures = line["pictures"]
        elif line:
            rows.add(line)
        if time.monotonic() >= store_at:
            rows.store()
            store_at = time.monotonic() + STORE_EVERY
    work.finish(part, lambda: rows.finish(began_at))


class Unwanted(Exception):
    """The part was canceled, or given to another worker."""


def _while_wanted(
    part: VideoPart, lines: Iterator[dict[str, Any] | None]
) -> Iterator[dict[str, Any] | None]:
    """The lines while this worker holds the part. Raises Unwanted."""
    looked_at = time.monotonic()
    for line in lines:
        if time.monotonic() - looked_at > CHECK_EVERY:
            looked_at = time.monotonic()
            if not lease.owned(part).exists():
                raise Unwanted
        yield line


class _Rows:
    """What a reading found and has not stored yet."""

    def __init__(self, part: VideoPart) -> None:
        self.part = part
        self.pictures: dict[str, str] = {}
        self.lines: list[dict[str, Any]] = []
        self.tracks: dict[int, Track] = {}
        # No other reading of this video begins there, so no other uses these numbers.
        self.first_number = round(part.position * 1000) * TRACKS_PER_SECOND

    def add(self, line: dict[str, Any]) -> None:
        self.lines.append(line)

    def store(self) -> None:
        """Store the rows and how far they go. Raises Unwanted."""
        part, lines = self.part, self.lines
        if not lines:
            return
        last = lines[-1]
        with transaction.atomic():
            held = lease.change(
                part,
                position=_after(last["time"], part.analysis.video.fps),
                next_number=last["number"] + 1,
                read=part.read + len(lines),
                attempts=1,  # only those count that got nowhere
            )
            if held:
                self._insert(lines)
                Analysis.objects.filter(pk=part.analysis_id).update(
                    frame_count=F("frame_count") + len(lines), sequence=F("sequence") + 1
                )
        if not held:
            raise Unwanted
        self.lines = []
        tell(part.analysis_id)

    def _insert(self, lines: list[dict[str, Any]]) -> None:
        analysis = self.part.analysis
        seen = {face[0] for line in lines for face in line["faces"]}
        new = [
            Track(analysis=analysis, number=self.first_number + local)
            for local in sorted(seen - self.tracks.keys())
        ]
        for track in Track.objects.bulk_create(new):
            self.tracks[track.number - self.first_number] = track
        Face.objects.bulk_create(
            _face(analysis, self.tracks[face[0]], line, face)
            for line in lines
            for face in line["faces"]
        )

    def finish(self, began_at: float) -> None:
        """Store the rest, in the transaction that ends the part, and join both ends."""
        part = self.part
        if self.lines:
            self._insert(self.lines)
            VideoPart.objects.filter(pk=part.pk).update(read=F("read") + len(self.lines))
            Analysis.objects.filter(pk=part.analysis_id).update(
                frame_count=F("frame_count") + len(self.lines), sequence=F("sequence") + 1
            )
        for local, picture in self.pictures.items():
            if track := self.tracks.get(int(local)):
                Track.objects.filter(pk=track.pk).update(picture=base64.b64decode(picture))
        for seam in {part.start, began_at, part.end}:
            tracks.join(part.analysis, seam)


def _after(time: float, fps: float | None) -> float:
    """Where the next reading begins after a sample at this time."""
    return (interval_of(time, fps) + 1) / fps if fps else time + 1e-4


def _face(analysis: Analysis, track: Track, line: dict[str, Any], face: list[Any]) -> Face:
    _local, x, y, width, height, score, sharpness, probabilities = face
    highest = max(probabilities)
    return Face(
        analysis=analysis,
        track=track,
        time=line["time"],
        frame=line["number"],
        x=x,
        y=y,
        width=width,
        height=height,
        score=score,
        sharpness=sharpness,
        probabilities=probabilities,
        emotion=EMOTIONS[probabilities.index(highest)],
        probability=highest,
    )


def copy(part: VideoPart) -> None:
    """Make the copy that browsers play, and count its bytes."""
    analysis = part.analysis
    source = Path(default_storage.path(str(analysis.source.name)))
    partial = default_storage.path(f"videos/{part.lease_owner}.partial")
    Path(partial).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kind, told_at = "", time.monotonic()
    try:
        lines = readers.ask(
            "copy", path=str(source), target=partial, audio=analysis.video.keep_audio
        )
        for line in _while_wanted(part, lines):
            kind = (line or {}).get("kind", kind)
            if line and "share" in line and time.monotonic() - told_at > STORE_EVERY:
                told_at = time.monotonic()
                if not lease.change(part, share=line["share"]):
                    raise Unwanted
                tell(part.analysis_id)
        name = f"videos/{analysis.pk}.{kind}"
        Path(partial).chmod(0o600)
        size = Path(partial).stat().st_size
        Path(partial).rename(default_storage.path(name))

        def store() -> None:
            Analysis.objects.filter(pk=analysis.pk).update(
                media=name, stored_bytes=F("stored_bytes") + size, sequence=F("sequence") + 1
            )

        if work.finish(part, store, share=1.0):
            tell(part.analysis_id)
        elif not Analysis.objects.filter(pk=analysis.pk, media=name).exists():
            delete_files([name])
    finally:
        Path(partial).unlink(missing_ok=True)


def tell(pk: UUID) -> None:
    """Tell the owner's pages how far a video is."""
    analysis = Analysis.objects.select_related("model_version", "video").filter(pk=pk).first()
    if analysis:
        events.publish_change(analysis)


# --- Ends -------------------------------------------------------------------------------------


def settle(part: VideoPart) -> None:
    """End the analysis if this was the last of its parts; in the transaction that ended the part.

    The reading may have lost parts, and the copy for players may be missing; what there is stays.
    """
    rows = Analysis.objects.select_for_update().filter(pk=part.analysis_id, status=Status.RUNNING)
    analysis = rows.select_related("video").first()
    if analysis is None or analysis.parts.filter(status__in=lease.UNFINISHED).exists():
        return
    reads = analysis.parts.filter(task=VideoPart.Task.READ)
    failed = reads.exclude(status=Status.SUCCEEDED)
    values: dict[str, Any] = {
        "status": Status.SUCCEEDED,
        "finished_at": timezone.now(),
        "sequence": F("sequence") + 1,
    }
    if failed.count() == reads.count():
        first = failed.first()
        values |= {
            "status": Status.FAILED,
            "error_code": first.error_code if first else "gave_up",
            "error_message": first.error_message if first else "",
        }
        rows.update(**values)
    else:
        tracks.number(analysis)
        notices = list(analysis.notices)
        notices += [PARTS_FAILED] if failed.exists() else []
        notices += [] if analysis.media else [NO_COPY]
        Video.objects.filter(pk=analysis.pk).update(missing=_missing(analysis))
        rows.update(
            **values,
            face_count=analysis.tracks.count(),
            emotion=tracks.main_emotion(analysis),
            notices=notices,
            source="",
        )
        transaction.on_commit(lambda: delete_files([str(analysis.source.name)]), robust=True)
    analysis.refresh_from_db()
    webhooks.announce(analysis)
    transaction.on_commit(lambda: tell(analysis.pk), robust=True)


def _missing(analysis: Analysis) -> dict[str, int]:
    """Why planned instants have not been read, and how many."""
    reasons: Counter[str] = Counter()
    for part in analysis.parts.filter(task=VideoPart.Task.READ):
        reasons["no_frame"] += part.planned - part.present
        left = max(0, part.present - part.read)
        reasons["undecodable" if part.status == Status.SUCCEEDED else "part_failed"] += left
    return {reason: count for reason, count in reasons.items() if count}


def cancel(analysis: Analysis) -> bool:
    """End a queued or running video and its parts; False if it has ended already."""
    with transaction.atomic():
        canceled = lease.cancel(analysis)
        if canceled:
            analysis.parts.filter(status__in=lease.UNFINISHED).update(
                status=Status.CANCELED, finished_at=timezone.now(), sequence=F("sequence") + 1
            )
    if canceled:
        events.publish_change(analysis)
    return canceled


def retry(analysis: Analysis) -> bool:
    """Read a failed or canceled video from its beginning, while its upload is kept."""
    with transaction.atomic():
        if not lease.enqueue_again(analysis, RETRYABLE, frame_count=0):
            return False
        analysis.parts.all().delete()
        analysis.faces.all().delete()
        analysis.tracks.all().delete()
        work.submit(analysis)
    return True
