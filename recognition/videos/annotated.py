"""Annotated videos: an export of one video, with its faces drawn onto every frame."""

import json
import time
from contextlib import closing, suppress
from pathlib import Path

from django.core.files.storage import default_storage

from recognition import events, storage
from recognition.engine.errors import CodedError
from recognition.jobs import lease, work
from recognition.models import Analysis, Export
from recognition.videos import readers, series

TELL_EVERY = 0.7  # seconds


def write(export: Export) -> None:
    """Make the file and finish the export; `rows` count frames. Raises CodedError: no_video."""
    owned = Analysis.objects.filter(owner_id=export.owner_id).exclude(media="")
    analysis = owned.select_related("video").filter(pk=export.filters.get("id")).first()
    if analysis is None:
        raise CodedError("no_video", "This video is no longer there.")
    if not lease.change(export, rows_done=0, rows_total=analysis.video.frames):
        return
    events.publish_export(export)
    # Named after the lease, so an attempt that lost its lease can't touch the next one's file.
    name = f"{Export._meta.get_field('file').upload_to}/{export.lease_owner}.mp4"
    partial = storage.scratch(name)
    marks = partial.with_suffix(".marks")
    try:
        with suppress(readers.Unwanted):
            with marks.open("w") as file:
                file.writelines(f"{json.dumps(mark)}\n" for mark in series.marks(analysis))
            _draw(export, analysis, marks, partial)
            size, frames = partial.stat().st_size, analysis.video.frames
            storage.put(partial, name)
            if not work.finish(export, file=name, size=size, rows_done=frames, rows_total=frames):
                default_storage.delete(name)
    finally:
        partial.unlink(missing_ok=True)
        marks.unlink(missing_ok=True)


def _draw(export: Export, analysis: Analysis, marks: Path, target: Path) -> None:
    """Let a reader write the file, and tell how far it is. Raises Unwanted."""
    told_at = time.monotonic()
    with (
        storage.local(str(analysis.media.name)) as path,
        closing(
            readers.ask(
                "annotate",
                path=str(path),
                target=str(target),
                marks=str(marks),
                width=analysis.width,
                step=analysis.video.step,
            )
        ) as lines,
    ):
        for line in readers.while_wanted(export, lines):
            if line and time.monotonic() - told_at > TELL_EVERY:
                told_at = time.monotonic()
                done = round(line["share"] * analysis.video.frames)
                if not lease.change(export, rows_done=done):
                    raise readers.Unwanted
                events.publish_export(export)
