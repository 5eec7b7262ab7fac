"""How a video is read: prepared, divided into parts that several workers take, put together."""

import base64
from collections import Counter
from contextlib import closing
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from recognition import describe, events, storage
from recognition.engine.errors import MediaError
from recognition.jobs import lease, work
from recognition.jobs.files import delete_files
from recognition.models import Analysis, Video, VideoPart
from recognition.programs import webhooks
from recognition.registry import registry, version_files
from recognition.videos import parts, readers, tracks

Status = Analysis.Status
Keep = Analysis.Keep

RETRYABLE = ~Q(source="")  # the upload of an unreadable video is not kept

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
    version_files.read_in_use(version)  # checked once here, read by its path later
    picture, thumbnail = ContentFile(b""), ""
    if analysis.keep == Keep.PICTURE:
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
    with (
        storage.local(source) as path,
        closing(readers.ask("inspect", path=str(path), **options)) as lines,
    ):
        for line in lines:
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
    ordered = [
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
    if analysis.keep == Keep.PICTURE:  # after the first segment, whose rows the page waits for
        ordered.insert(1, _copy_of(analysis, header["seconds"]))
    for part in ordered:
        part.save(force_insert=True)
        work.submit(part)


def _copy_of(analysis: Analysis, seconds: float) -> VideoPart:
    return VideoPart(analysis=analysis, task=VideoPart.Task.COPY, end=seconds)


# --- Ends -------------------------------------------------------------------------------------


def settle(part: VideoPart) -> None:
    """End the analysis if this was the last of its parts; in the transaction that ended the part.

    The reading may have lost parts, and the copy for players may be missing; what there is stays.
    """
    rows = Analysis.objects.select_for_update().filter(pk=part.analysis_id, status=Status.RUNNING)
    analysis = rows.first()
    if analysis is None or analysis.parts.filter(status__in=lease.UNFINISHED).exists():
        return
    reads = analysis.parts.filter(task=VideoPart.Task.READ)
    failed = reads.exclude(status=Status.SUCCEEDED)
    if analysis.keep == Keep.BLURRED and _waits_for_copy(analysis) and len(failed) < len(reads):
        copy = _copy_of(analysis, analysis.seconds or 0.0)
        copy.save(force_insert=True)
        work.submit(copy)
        return
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
        notices += [] if analysis.media or analysis.keep == Keep.NUMBERS else [NO_COPY]
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
    transaction.on_commit(lambda: parts.tell(analysis.pk), robust=True)


def _waits_for_copy(analysis: Analysis) -> bool:
    """Whether the copy is still to be made: blurring needs the places of all faces."""
    return not analysis.parts.filter(task=VideoPart.Task.COPY).exists()


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
