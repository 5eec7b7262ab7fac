"""The life of an export: written row by row, finished, deleted."""

import itertools
import logging
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from recognition.engine.errors import CodedError
from recognition.history import events
from recognition.history.filters import HistoryFilter
from recognition.history.table_files import FILES, TableFile
from recognition.history.tables import read_rows
from recognition.jobs import lease, work
from recognition.models import Analysis, Export, Face

logger = logging.getLogger(__name__)

FOLDER = Export._meta.get_field("file").upload_to
TICK = 0.7  # seconds between two words about the progress
BATCH = 5000  # rows written at once; in Parquet a row group


@dataclass
class Progress:
    """How many rows are written, and whether they are still wanted."""

    rows: int = 0
    unwanted: threading.Event = field(default_factory=threading.Event)


def write(export: Export) -> None:
    """Write the file beside its place, move it there once it is whole, and finish the export.

    Raises CodedError for filters that mean nothing any more.
    """
    faces = faces_of(export)
    if not lease.change(export, rows_done=0, rows_total=faces.count()):
        return
    events.publish_export(export)
    # Named after the lease: an attempt that was given up too early never meets the next one's.
    name = f"{FOLDER}/{export.lease_owner}.{export.format}"
    place = Path(default_storage.path(name))
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = place.with_suffix(".partial")
    try:
        with followed(export) as progress:
            write_rows(FILES[export.format], faces, partial, progress)
        if progress.unwanted.is_set():
            return
        partial.chmod(settings.FILE_UPLOAD_PERMISSIONS)
        size = partial.stat().st_size
        partial.rename(place)
        rows = progress.rows
        if not work.finish(export, file=name, size=size, rows_done=rows, rows_total=rows):
            default_storage.delete(name)
    finally:
        partial.unlink(missing_ok=True)


def faces_of(export: Export) -> "QuerySet[Face]":
    """The faces that an export is of. Raises CodedError."""
    found = HistoryFilter(export.filters, Analysis.objects.filter(owner_id=export.owner_id))
    if not found.is_valid():
        # An export without them would hold more than was asked for.
        message = "The filters of this export are no longer valid."
        raise CodedError("invalid_filters", message)
    return Face.objects.filter(analysis__in=found.qs.order_by())


def write_rows(
    kind: type[TableFile], faces: "QuerySet[Face]", path: Path, progress: Progress
) -> None:
    """Write the rows of faces to a new file, until there are no more or they are unwanted."""
    # Closed also after an error: the connection is free for other queries only then.
    with closing(read_rows(faces)) as rows, kind(path) as file:
        while batch := list(itertools.islice(rows, BATCH)):
            if progress.unwanted.is_set():
                return
            file.write(batch)
            progress.rows += len(batch)


@contextmanager
def followed(export: Export) -> Iterator[Progress]:
    """Tells every TICK seconds how far an export is, and learns whether it is still wanted.

    In a thread, and so with a database connection of its own: the other one is in the middle of a
    long query, and in SQLite could not write once another process has written since it began.
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
                logger.warning("The progress of %s was not noted", export, exc_info=True)
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
    """Delete an export with its file; a worker that has it just now notices."""
    owner_id, pk = export.owner_id, str(export.pk)
    with transaction.atomic():
        # Locked and read anew: its worker may have finished it meanwhile.
        files = Export.objects.select_for_update().filter(pk=pk).values_list("file", flat=True)
        names = list(files)
        export.delete()
    for name in filter(None, names):
        default_storage.delete(name)
    events.publish_export_deletion(owner_id, pk)


def delete_old() -> None:
    """Delete the exports that ended long ago."""
    for export in Export.objects.filter(finished_at__lt=timezone.now() - Export.KEPT):
        delete(export)
