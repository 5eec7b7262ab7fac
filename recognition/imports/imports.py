"""Imports of many photos and videos: begun, carried out file by file, resumed, reported."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from recognition.engine.errors import MediaError
from recognition.imports.sources import Entry, allowed, opened
from recognition.jobs import work
from recognition.jobs.lease import UNFINISHED, owned
from recognition.models import Analysis, ImportedFile, MediaImport

# How many of the owner's analyses may wait: photos of others queue up behind them, and each waits
# as a copy on the disk.
MOST_WAITING = 48
MOST_VIDEOS = 2  # of these
LOOK_AGAIN_SECONDS = 0.2
TELL_SECONDS = 1.0


class _LostError(Exception):
    """The job is no longer this process's: it was canceled, or another worker has it."""


def request(
    created_by: User | None, owner: User, source: str, options: dict[str, Any]
) -> MediaImport:
    """A queued import of something in IMPORTS_DIR or in one of IMPORT_BUCKETS.

    Raises SourceError.
    """
    source = allowed(source)
    with transaction.atomic():
        wanted = MediaImport.objects.create(
            created_by=created_by, owner=owner, source=source, options=options
        )
        work.submit(wanted)
    return wanted


def carry_out(job: MediaImport, tell: Callable[[MediaImport], None] = lambda job: None) -> None:
    """Import what an earlier attempt has not, at the pace at which files are analyzed.

    `tell` hears of progress. Raises SourceError.
    """
    known = set(job.files.values_list("path", flat=True))
    told = time.monotonic()
    try:
        with opened(job.source) as entries:
            for entry in entries:
                if entry.path in known:
                    continue
                _wait_for_room(job, MOST_WAITING)
                _take(job, entry)
                if time.monotonic() - told > TELL_SECONDS:
                    told = time.monotonic()
                    tell(job)
    except _LostError:
        return
    work.finish(job)


def _wait_for_room(job: MediaImport, most: int, **kind: str) -> None:
    """Wait until fewer of the owner's analyses of this kind wait. Raises _LostError."""
    mine = Analysis.objects.filter(owner_id=job.owner_id, status__in=UNFINISHED, **kind)
    while mine[:most].count() >= most:
        if not owned(job).exists():
            raise _LostError
        time.sleep(LOOK_AGAIN_SECONDS)


def _take(job: MediaImport, entry: Entry) -> None:
    """Import one file and note what became of it. Raises _LostError, SourceError."""
    from recognition.imports import contents  # only now: see there

    noted, outcome = ImportedFile(media_import=job, path=entry.path), "imported"

    def note(analysis: Analysis | None = None) -> None:
        noted.analysis = analysis or noted.analysis
        _note(job, noted, outcome)

    try:
        with contents.read(entry, job.owner) as content:
            noted.sha256 = content.sha256
            noted.analysis = _imported_before(job, noted.sha256)
            if noted.analysis:
                outcome = "repeated"
                note()
            else:
                if content.video:
                    _wait_for_room(job, MOST_VIDEOS, kind=Analysis.Kind.VIDEO)
                # Both or neither: a file that was noted is not taken again.
                contents.submit(job.owner, entry, content, job.options, note)
    except MediaError as error:
        outcome = "refused"
        noted.error_code, noted.error_message = error.code, error.message
        note()
    job.seen += 1
    setattr(job, outcome, getattr(job, outcome) + 1)


def _note(job: MediaImport, file: ImportedFile, outcome: str) -> None:
    with transaction.atomic():
        file.save()
        if not owned(job).update(**{"seen": F("seen") + 1, outcome: F(outcome) + 1}):
            raise _LostError


def _imported_before(job: MediaImport, sha256: str) -> Analysis | None:
    """The owner's analysis of the same content, unless it was deleted since."""
    same = ImportedFile.objects.filter(sha256=sha256, analysis__owner_id=job.owner_id)
    found = same.select_related("analysis").first()
    return found.analysis if found else None


FAILURE_COLUMNS = ["path", "code", "message"]


def failures(job: MediaImport) -> Iterator[list[Any]]:
    """What did not work, file by file: refused by the import, or failed in the analysis."""
    files = job.files.order_by("pk").select_related("analysis")
    failed = files.filter(analysis__status=Analysis.Status.FAILED) | files.exclude(error_code="")
    for file in failed.iterator(chunk_size=1000):
        reason = file.analysis if file.analysis and not file.error_code else file
        yield [file.path, reason.error_code, reason.error_message]
