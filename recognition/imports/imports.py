"""Imports of many photos: begun, carried out file by file, resumed, reported."""

import hashlib
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from recognition.engine.errors import CodedError, MediaError
from recognition.imports.sources import Entry, allowed_path, opened
from recognition.jobs import work
from recognition.jobs.lease import UNFINISHED, owned
from recognition.models import Analysis, ImportedFile, MediaImport

# How many of the owner's analyses may wait: photos of others queue up behind them, and each waits
# as a copy on the disk.
MOST_WAITING = 48
LOOK_AGAIN_SECONDS = 0.2
TELL_SECONDS = 1.0


def request(
    created_by: User | None, owner: User, source: str, options: dict[str, Any]
) -> MediaImport:
    """A queued import of something in IMPORTS_DIR. Raises SourceError."""
    path = allowed_path(source)
    with transaction.atomic():
        wanted = MediaImport.objects.create(
            created_by=created_by, owner=owner, source=str(path), options=options
        )
        work.submit(wanted)
    return wanted


def carry_out(job: MediaImport, tell: Callable[[MediaImport], None] = lambda job: None) -> None:
    """Import what an earlier attempt has not, at the pace at which photos are analyzed.

    `tell` hears of progress. Raises SourceError.
    """
    known = set(job.files.values_list("path", flat=True))
    told = time.monotonic()
    with opened(Path(job.source)) as entries:
        for entry in entries:
            if entry.path in known:
                continue
            if not _wait_for_room(job):
                return
            if not _take(job, entry):
                return
            if time.monotonic() - told > TELL_SECONDS:
                told = time.monotonic()
                tell(job)
    work.finish(job)


def _wait_for_room(job: MediaImport) -> bool:
    """Wait until few of the owner's photos wait; False once the job is no longer this process's."""
    mine = Analysis.objects.filter(owner_id=job.owner_id, status__in=UNFINISHED)
    while mine[:MOST_WAITING].count() >= MOST_WAITING:
        if not owned(job).exists():
            return False
        time.sleep(LOOK_AGAIN_SECONDS)
    return True


def _take(job: MediaImport, entry: Entry) -> bool:
    """Import one file and note what became of it; False if the job is no longer this process's."""
    noted, outcome, content = ImportedFile(media_import=job, path=entry.path), "imported", b""
    try:
        content = _read(entry)
        noted.sha256 = hashlib.sha256(content).hexdigest()
        noted.analysis = _imported_before(job, noted.sha256)
    except CodedError as error:
        noted.error_code, noted.error_message = error.code, error.message
    # Both or neither: a file that was noted is not taken again.
    with transaction.atomic():
        if noted.analysis:
            outcome = "repeated"
        elif not noted.error_code:
            try:
                noted.analysis = _submit(job, entry, content)
            except CodedError as error:
                noted.error_code, noted.error_message = error.code, error.message
        if noted.error_code:
            outcome = "refused"
        noted.save()
        if not owned(job).update(**{"seen": F("seen") + 1, outcome: F(outcome) + 1}):
            transaction.set_rollback(True)
            return False
    job.seen += 1
    setattr(job, outcome, getattr(job, outcome) + 1)
    return True


def _read(entry: Entry) -> bytes:
    """The content of a file, or one byte more than is accepted."""
    limit = settings.MAX_UPLOAD_BYTES
    if entry.size > limit:
        return b" " * (limit + 1)
    try:
        with entry.open() as file:
            return file.read(limit + 1)
    except (OSError, RuntimeError, ValueError, NotImplementedError) as error:  # such as a password
        raise MediaError("unreadable_file", f"This file can't be read: {error}.") from error


def _imported_before(job: MediaImport, sha256: str) -> Analysis | None:
    """The owner's analysis of the same content, unless it was deleted since."""
    same = ImportedFile.objects.filter(sha256=sha256, analysis__owner_id=job.owner_id)
    found = same.select_related("analysis").first()
    return found.analysis if found else None


def _submit(job: MediaImport, entry: Entry, content: bytes) -> Analysis:
    # Here, because these load what decodes pictures, which a worker without an import never needs.
    from recognition.photos.submissions import submit_image
    from recognition.photos.uploads import LimitedUpload

    upload = LimitedUpload(io.BytesIO(content), entry.path, size=len(content))
    return submit_image(job.owner, upload, **job.options)


FAILURE_COLUMNS = ["path", "code", "message"]


def failures(job: MediaImport) -> Iterator[list[Any]]:
    """What did not work, file by file: refused by the import, or failed in the analysis."""
    files = job.files.order_by("pk").select_related("analysis")
    failed = files.filter(analysis__status=Analysis.Status.FAILED) | files.exclude(error_code="")
    for file in failed.iterator(chunk_size=1000):
        reason = file.analysis if file.analysis and not file.error_code else file
        yield [file.path, reason.error_code, reason.error_message]
