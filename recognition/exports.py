"""The life of an export: claimed, written row by row, finished or failed, swept up, deleted."""

import itertools
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from recognition import events, jobs, tracebacks
from recognition.filters import HistoryFilter
from recognition.jobs import Status
from recognition.models import Analysis, Export, Face
from recognition.table_files import FILES, TableFile
from recognition.tables import read_rows

logger = logging.getLogger(__name__)

FOLDER = Export._meta.get_field("file").upload_to
MOST_ATTEMPTS = 3
GAVE_UP = "The export could not be finished in three attempts: start it again later."
TICK = 0.7  # seconds between two words about the progress
BATCH = 5000  # rows written at once; in Parquet a row group


class FiltersInvalid(ValueError):
    """Filters that mean nothing; an export without them would hold more than was asked for."""


@dataclass
class Progress:
    """How many rows are written, and whether they are still wanted."""

    rows: int = 0
    unwanted: threading.Event = field(default_factory=threading.Event)


def run_export(pk: str) -> None:
    """Carry out a queued export; does nothing if somebody else has it or it is gone."""
    export = jobs.claim(Export.objects.filter(pk=pk))
    if export is None:
        return
    events.publish_export(export)
    try:
        with jobs.held_lease(export):
            write(export)
    except FiltersInvalid as error:
        if jobs.fail(export, "invalid_filters", str(error)):
            events.publish_export(export)
    except Exception as error:
        logger.exception("The %s broke off", export)
        put_back(export, traceback=tracebacks.describe(error))


def write(export: Export) -> None:
    """Write the file beside its place, move it there once it is whole, and finish the export."""
    faces = faces_of(export)
    if not jobs.change(export, rows_done=0, rows_total=faces.count()):
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
        rows = {"rows_done": progress.rows, "rows_total": progress.rows}
        if jobs.finish(export, file=name, size=size, **rows):
            events.publish_export(export)
        else:
            default_storage.delete(name)
    finally:
        partial.unlink(missing_ok=True)


def faces_of(export: Export) -> "QuerySet[Face]":
    """The faces that an export is of. Raises FiltersInvalid."""
    found = HistoryFilter(export.filters, Analysis.objects.filter(owner_id=export.owner_id))
    if not found.is_valid():
        raise FiltersInvalid("The filters of this export are not valid any more.")
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
                if not jobs.change(export, rows_done=progress.rows):
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


def put_back(export: Export, **values) -> None:
    if jobs.put_back(export, MOST_ATTEMPTS, GAVE_UP, **values):
        events.publish_export(export)


def requeue_stale(enqueue: Callable[[str], None]) -> None:
    """Bring back exports that a crash has stopped; `enqueue` sends the message for a key."""
    for export in jobs.abandoned(Export):
        put_back(export)
        if export.status == Status.QUEUED:
            enqueue(str(export.pk))
    for pk in jobs.forgotten(Export):
        enqueue(pk)


def cancel(export: Export) -> bool:
    """Stop a queued or running export; its worker notices soon. False if it has ended."""
    unfinished = Export.objects.filter(pk=export.pk, status__in=[Status.QUEUED, Status.RUNNING])
    if not unfinished.update(
        status=Status.CANCELED, finished_at=timezone.now(), sequence=F("sequence") + 1
    ):
        return False
    export.refresh_from_db()
    events.publish_export(export)
    return True


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
