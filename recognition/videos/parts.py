"""The parts of the work on a video: segments that are read, and the copy for players."""

import base64
import itertools
import json
import time
from contextlib import closing, suppress
from operator import itemgetter
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import F

from recognition import events, networks, storage
from recognition.engine.emotions import EMOTIONS
from recognition.engine.video import interval_of
from recognition.jobs import lease, work
from recognition.jobs.files import delete_files
from recognition.models import Analysis, Face, Track, VideoPart
from recognition.registry import version_files
from recognition.videos import readers, tracks

Status = Analysis.Status

STORE_EVERY = 0.8  # seconds between two writes of a segment's rows; the first comes sooner
FIRST_STORE = 0.3
TRACKS_PER_SECOND = 1000  # of provisional numbers, by the millisecond


def carry_out(part: VideoPart) -> None:
    """Do a part of the work that this worker has claimed."""
    with suppress(readers.Unwanted):
        (copy if part.task == VideoPart.Task.COPY else read)(part)


def read(part: VideoPart) -> None:
    """Read a segment from where the last worker stopped, storing its rows as they come."""
    analysis = part.analysis
    version, video = analysis.model_version, analysis.video
    assert version is not None
    rows = _Rows(part)
    store_at = time.monotonic() + FIRST_STORE
    with (
        storage.local(str(analysis.source.name)) as path,
        storage.local(str(version_files.file_in_use(version).name)) as model,
        closing(
            readers.ask(
                "read",
                path=str(path),
                model=str(model),
                width=analysis.width,
                height=analysis.height,
                fps=video.fps,
                detail=analysis.detail,
                detector=analysis.detector,
                examining=networks.examining("frame"),
                start=part.position,
                end=part.end,
                first_number=part.next_number,
            )
        ) as lines,
    ):
        for line in readers.while_wanted(part, lines):
            if line and "pictures" in line:
                rows.pictures = line["pictures"]
            elif line:
                rows.add(line)
            if time.monotonic() >= store_at:
                rows.store()
                store_at = time.monotonic() + STORE_EVERY
    work.finish(part, rows.finish)


class _Rows:
    """What a reading found and has not stored yet."""

    def __init__(self, part: VideoPart) -> None:
        self.part = part
        self.pictures: dict[str, str] = {}
        self.resumed_at: float | None = None
        self.lines: list[dict[str, Any]] = []
        self.tracks: dict[int, int] = {}  # keys by the reading's own numbers
        self.began, self.look = False, b""
        # No other reading of this video begins there, so no other uses these numbers.
        self.first_number = round(part.position * 1000) * TRACKS_PER_SECOND

    def add(self, line: dict[str, Any]) -> None:
        """Take a sample; the first one meets what another reading stored before it."""
        look, part = base64.b64decode(line.pop("look")), self.part
        if part.first_look is None:
            part.first_look = look
        elif not self.began and part.last_look and not _is_cut(part.last_look, look):
            self.resumed_at = part.position
        self.began, self.look = True, look
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
                first_look=part.first_look,
                last_look=self.look,
            )
            if held:
                self._insert(lines)
                Analysis.objects.filter(pk=part.analysis_id).update(
                    frame_count=F("frame_count") + len(lines), sequence=F("sequence") + 1
                )
        if not held:
            raise readers.Unwanted
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
            self.tracks[track.number - self.first_number] = track.pk
        Face.objects.bulk_create(
            _face(analysis, self.tracks[face[0]], line, face)
            for line in lines
            for face in line["faces"]
        )
        if self.resumed_at is not None:
            gone = tracks.join(analysis, self.resumed_at)
            self.resumed_at = None
            self.tracks = {local: gone.get(pk, pk) for local, pk in self.tracks.items()}

    def finish(self) -> None:
        """Store the rest, in the transaction that ends the part, and join it to its neighbors.

        Of two that meet, the one that ends later joins them: until then tracks must not vanish.
        """
        part = self.part
        Analysis.objects.select_for_update().get(pk=part.analysis_id)
        if self.lines:
            self._insert(self.lines)
            VideoPart.objects.filter(pk=part.pk).update(
                read=F("read") + len(self.lines), first_look=part.first_look, last_look=self.look
            )
            Analysis.objects.filter(pk=part.analysis_id).update(
                frame_count=F("frame_count") + len(self.lines), sequence=F("sequence") + 1
            )
        kept = part.analysis.keep == Analysis.Keep.PICTURE
        for local, picture in self.pictures.items() if kept else ():
            if pk := self.tracks.get(int(local)):
                Track.objects.filter(pk=pk).update(picture=base64.b64decode(picture))
        done = part.analysis.parts.filter(task=VideoPart.Task.READ, status=Status.SUCCEEDED)
        for seam in (part.start, part.end):
            before, after = done.filter(end=seam).first(), done.filter(start=seam).first()
            if before and after and not _is_cut(before.last_look, after.first_look):
                tracks.join(part.analysis, seam)


def _is_cut(before: Any, after: Any) -> bool:
    """Whether a shot ends between two frames with these looks, as they are stored."""
    from recognition.engine import shots  # imported here: loads OpenCV, only where videos are read

    if not before or not after:
        return False
    side = shots.LOOK_SIDE
    looks = [np.frombuffer(look, np.uint8).reshape(side, side, 3) for look in (before, after)]
    return shots.is_cut(*looks)


def _after(time: float, fps: float | None) -> float:
    """Where the next reading begins after a sample at this time."""
    return (interval_of(time, fps) + 1) / fps if fps else time + 1e-4


def _face(analysis: Analysis, track: int, line: dict[str, Any], face: list[Any]) -> Face:
    _local, x, y, width, height, score, sharpness, probabilities, measures, covered = face
    highest = max(probabilities)
    return Face(
        analysis=analysis,
        track_id=track,
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
        measures=measures,
        covered=covered,
    )


def ask_for_blur(analysis: Analysis) -> bool:
    """Queue the work of blurring the faces in a stored video; False if none is stored."""
    if not analysis.media:
        return False
    with transaction.atomic():
        Analysis.objects.select_for_update().get(pk=analysis.pk)  # two clicks make one part
        if not analysis.parts.filter(status__in=lease.UNFINISHED).exists():
            part = VideoPart(analysis=analysis, task=VideoPart.Task.COPY, end=analysis.seconds or 0)
            part.save(force_insert=True)
            work.submit(part)
    return True


def copy(part: VideoPart) -> None:
    """Make the copy that browsers play, with blurred faces where that is wanted."""
    analysis = part.analysis
    partial = storage.scratch(f"videos/{part.lease_owner}")
    kind, told_at = "", time.monotonic()
    # Of a video that has been read, the owner has asked for it afterwards.
    blurs = analysis.keep == Analysis.Keep.BLURRED or analysis.status == Status.SUCCEEDED
    original = str(analysis.source.name or analysis.media.name)
    if not original:  # the owner has had it forgotten
        work.fail(part, "no_video", "This video is no longer there.")
        return
    places = partial.with_suffix(".places")
    request: dict[str, Any] = {"target": str(partial), "audio": analysis.video.keep_audio}
    try:
        if blurs:
            _write_places(analysis, places)
            request |= {"width": analysis.width, "step": analysis.video.step}
            request["places"] = str(places)
        with (
            storage.local(original) as source,
            closing(readers.ask("blur" if blurs else "copy", path=str(source), **request)) as lines,
        ):
            for line in readers.while_wanted(part, lines):
                kind = (line or {}).get("kind", kind)
                if line and "share" in line and time.monotonic() - told_at > STORE_EVERY:
                    told_at = time.monotonic()
                    if not lease.change(part, share=line["share"]):
                        raise readers.Unwanted
                    tell(part.analysis_id)
        # Another name than that of a copy with faces, which browsers may have in their caches.
        name = f"videos/{analysis.pk}{'-blurred' if blurs else ''}.{kind}"
        size = partial.stat().st_size
        storage.put(partial, name)

        def store() -> None:
            rows = Analysis.objects.filter(pk=analysis.pk)
            # What was forgotten meanwhile must not come back.
            stored = rows.filter(media=str(analysis.media.name)).update(
                media=name, stored_bytes=F("stored_bytes") + size, sequence=F("sequence") + 1
            )
            if not stored:
                transaction.on_commit(lambda: delete_files([name]), robust=True)
            elif blurs:
                gone = [str(analysis.thumbnail.name), str(analysis.media.name)]
                rows.update(keep=Analysis.Keep.BLURRED, thumbnail="", stored_bytes=size)
                analysis.tracks.update(picture=None)
                transaction.on_commit(lambda: delete_files(set(gone) - {name}), robust=True)

        if work.finish(part, store, share=1.0):
            tell(part.analysis_id)
        elif not Analysis.objects.filter(pk=analysis.pk, media=name).exists():
            delete_files([name])
    finally:
        partial.unlink(missing_ok=True)
        places.unlink(missing_ok=True)


def _write_places(analysis: Analysis, path: Path) -> None:
    """Every box of the video, for engine.blur; also of what its owner says is no face."""
    rows: Any = analysis.faces.order_by("time", "pk")
    rows = rows.values_list("time", "x", "y", "width", "height").iterator()
    with path.open("w") as file:
        for moment, group in itertools.groupby(rows, key=itemgetter(0)):
            file.write(f"{json.dumps([moment, [box for _time, *box in group]])}\n")


def tell(pk: UUID) -> None:
    """Tell the owner's pages how far a video is."""
    analysis = Analysis.objects.select_related("model_version", "video").filter(pk=pk).first()
    if analysis:
        events.publish_change(analysis)
