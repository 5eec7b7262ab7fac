"""The life of an export: written row by row, finished, deleted."""

import functools
import itertools
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.core.files.storage import default_storage
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from recognition import events, storage
from recognition.engine.errors import CodedError
from recognition.history import archive
from recognition.history.filters import HistoryFilter
from recognition.history.table_files import FILES, TableFile
from recognition.history.tables import read_rows
from recognition.jobs import lease, work
from recognition.models import Analysis, Export, Face

logger = logging.getLogger(__name__)

FOLDER = Export._meta.get_field("file").upload_to
ZIP = Export.Format.ZIP
TICK = 0.7  # seconds between two progress events
BATCH = 5000  # rows per write; in Parquet a row group


@dataclass
class Progress:
    """How many rows are written, and whether to go on."""

    rows: int = 0
    unwanted: threading.Event = field(default_factory=threading.Event)


Contents = tuple[int, str, Callable[[Path, Progress], None]]
"""The number of rows, the file's extension, and what writes it."""


def write(export: Export) -> None:
    """Write a temporary file, move it into place when complete, and finish the export.

    Raises CodedError if the filters are no longer valid, or too_many_rows.
    """
    count, extension, fill = _archive_of(export) if export.format == ZIP else _table_of(export)
    if not lease.change(export, rows_done=0, rows_total=count):
        return
    events.publish_export(export)
    # Named after the lease, so an attempt that lost its lease can't touch the next one's file.
    name = f"{FOLDER}/{export.lease_owner}.{extension}"
    partial = storage.scratch(name)
    try:
        with followed(export) as progress:
            fill(partial, progress)
        if progress.unwanted.is_set():
            return
        size = partial.stat().st_size
        storage.put(partial, name)
        rows = progress.rows
        if not work.finish(export, file=name, size=size, rows_done=rows, rows_total=rows):
            default_storage.delete(name)
    finally:
        partial.unlink(missing_ok=True)


def _table_of(export: Export) -> Contents:
    faces, kind = faces_of(export), FILES[export.format]
    count = faces.count()
    if kind.most_rows is not None and count > kind.most_rows:
        raise CodedError(
            "too_many_rows",
            f"These are {count:,} faces; an Excel sheet has room for {kind.most_rows:,}. "
            "Narrow the filters, or choose CSV or Parquet.",
        )
    return count, kind.extension, functools.partial(write_rows, kind, faces)


def _archive_of(export: Export) -> Contents:
    def fill(path: Path, progress: Progress) -> None:
        def tell(done: int) -> bool:
            progress.rows = done
            return not progress.unwanted.is_set()

        archive.write(export.owner, path, tell)

    return Analysis.objects.filter(owner_id=export.owner_id).count(), "zip", fill


def faces_of(export: Export) -> "QuerySet[Face]":
    """The faces to export. Raises CodedError."""
    found = HistoryFilter(export.filters, Analysis.objects.filter(owner_id=export.owner_id))
    if not found.is_valid():
        # Without its filters the export would hold more than requested.
        message = "The filters of this export are no longer valid."
        raise CodedError("invalid_filters", message)
    return Face.objects.filter(analysis__in=found.qs.order_by())


def write_rows(
    kind: type[TableFile], faces: "QuerySet[Face]", path: Path, progress: Progress
) -> None:
    """Write the rows of faces to a new file, until done or canceled."""
    # Closed after an error too: only then is the connection free for other queries.
    with closing(read_rows(faces)) as rows, kind(path) as file:
        while batch := list(itertools.islice(rows, BATCH)):
            if progress.unwanted.is_set():
                return
            file.write(batch)
            progress.rows += len(batch)


@contextmanager
def followed(export: Export) -> Iterator[Progress]:
    """Reports the progress of an export every TICK seconds, and learns whether it was canceled.

    Runs in a thread, and so with its own database connection: the other one is in the middle of a
    long query, and in SQLite can't write once another process has written since that began.
    """
    progress, done = Progress(), threading.Event()

    def tell() -> None:
        while not done.wait(TICK):
            try:
                if not lease.change(export, rows_done=progress.rows):
                    progress.unwanted.set()
                    return
                events.publish_export(export)
            except DatabaseError:
                logger.warning("Could not store the progress of %s", export, exc_info=True)
            finally:
                connection.close()

    thread = threading.Thread(target=tell, name=f"progress-{export.pk}", daemon=True)
    thread.start()
    try:
        yield progress
    finally:
        done.set()
        thread.join()


def delete(export: Export) -> None:
    """Delete an export and its file; a worker that is writing it notices."""
    owner_id, pk = export.owner_id, str(export.pk)
    with transaction.atomic():
        # Locked and read again: its worker may have finished it meanwhile.
        files = Export.objects.select_for_update().filter(pk=pk).values_list("file", flat=True)
        names = list(files)
        export.delete()
    for name in filter(None, names):
        default_storage.delete(name)
    events.publish_export_deletion(owner_id, pk)


def delete_old() -> None:
    """Delete expired exports."""
    for export in Export.objects.filter(finished_at__lt=timezone.now() - Export.KEPT):
        delete(export)
