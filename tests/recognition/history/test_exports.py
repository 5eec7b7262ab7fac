"""The life cycle of an export: writing, progress, cancel, resume, delete."""

import csv
import io
import threading
import time
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from recognition import events
from recognition.api import allowances
from recognition.history import exports
from recognition.history import tasks as export_tasks
from recognition.history import tasks as history_tasks
from recognition.jobs import files as job_files
from recognition.jobs import tasks as job_tasks
from recognition.jobs import work
from recognition.models import Analysis, Export
from tests.processes import wait_until
from tests.recognition import histories
from tests.recognition.jobs.sweeping import sweep

Status = Export.Status


def queued(owner, format: str = "csv", **filters: str) -> Export:
    return Export.objects.create(owner=owner, format=format, filters=filters)


def done(owner, format: str = "csv", **filters: str) -> Export:
    """A finished export."""
    export = queued(owner, format, **filters)
    export_tasks.export(str(export.pk))
    export.refresh_from_db()
    return export


def lines_of(export: Export) -> list[dict[str, str]]:
    with export.file.open() as file:
        return list(csv.DictReader(io.StringIO(file.read().decode(), newline="")))


def files() -> list[str]:
    return default_storage.listdir("exports")[1] if default_storage.exists("exports") else []


@pytest.fixture(autouse=True)
def nothing_left(db):
    """Separate files for each test."""
    for name in files():
        default_storage.delete(f"exports/{name}")


def test_the_file_holds_every_face_of_the_owner_alone(user, other_user):
    histories.photo(user, faces=2)
    histories.photo(user, faces=0)
    histories.session(user, frames=2)
    histories.photo(other_user)
    export = done(user)

    assert export.status == Status.SUCCEEDED
    assert len(lines_of(export)) == export.rows_done == export.rows_total == 6
    assert export.size == default_storage.size(export.file.name)
    assert export.expires_at - timezone.now() < timedelta(days=7)
    assert files() == [f"{export.lease_owner}.csv"]


@pytest.mark.parametrize(
    "format", [name for name in Export.Format.values if Export(format=name).is_table]
)
def test_each_format_is_written(user, format):
    histories.photo(user, faces=3)
    export = done(user, format)
    assert (export.status, export.rows_done) == (Status.SUCCEEDED, 3)


def test_filters_narrow_it_as_they_do_the_history(user):
    today, happy = histories.photo(user, emotion="sad"), histories.photo(user)
    old = histories.photo(user, emotion="sad")
    Analysis.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=9))
    since = (timezone.now() - timedelta(days=1)).date().isoformat()

    assert {line["analysis"] for line in lines_of(done(user, emotion="sad", since=since))} == {
        str(today.pk)
    }
    chosen = f"{happy.pk},{old.pk}"
    assert [line["analysis"] for line in lines_of(done(user, id=chosen))] == chosen.split(",")


def test_entries_of_somebody_else_are_not_exported_by_their_id(user, other_user):
    theirs = histories.photo(other_user)
    assert lines_of(done(user, id=str(theirs.pk))) == []


def test_filters_that_are_not_valid_any_more_export_nothing(user):
    histories.photo(user)
    export = done(user, emotion="bored")
    assert (export.status, export.error_code) == (Status.FAILED, "invalid_filters")
    assert files() == []


@pytest.fixture
def slow(monkeypatch):
    """Slow down each face, and report progress often."""
    monkeypatch.setattr(exports, "TICK", 0.05)
    monkeypatch.setattr(exports, "BATCH", 1)
    read_rows = exports.read_rows

    def slowly(faces):
        for row in read_rows(faces):
            time.sleep(0.1)
            yield row

    monkeypatch.setattr(exports, "read_rows", slowly)


@pytest.mark.django_db(transaction=True)
def test_the_progress_is_noted_and_told(user, slow, monkeypatch):
    told = []
    monkeypatch.setattr(events, "publish", lambda group, event: told.append(event["export"]))
    histories.photo(user, faces=6)
    done(user)

    assert [state["status"] for state in told][:2] == ["running", "running"]
    assert told[-1]["status"] == "succeeded"
    assert {state["rows_total"] for state in told[1:]} == {6}
    rows = [state["rows_done"] for state in told]
    assert rows == sorted(rows)
    assert len(set(rows)) > 3
    assert len({state["sequence"] for state in told}) == len(told)


@pytest.mark.django_db(transaction=True)
def test_others_may_write_while_an_export_reads(user, slow, monkeypatch):
    """The long query's old snapshot must not block the progress or the end."""

    def rename():
        Analysis.objects.update(title="renamed")
        connection.close()

    def interrupted(faces, read_rows=exports.read_rows):
        for row in read_rows(faces):
            writer = threading.Thread(target=rename)
            writer.start()
            writer.join()
            yield row

    monkeypatch.setattr(exports, "read_rows", interrupted)
    histories.photo(user, faces=6)
    export = done(user)
    assert (export.status, export.attempts) == (Status.SUCCEEDED, 1)
    assert export.sequence > 4  # the progress was stored
    assert {line["title"] for line in lines_of(export)} == {"photo.jpg"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end", [work.cancel, exports.delete])
def test_an_export_that_is_not_wanted_any_more_stops(user, slow, end, monkeypatch):
    histories.photo(user, faces=60)
    export = queued(user)
    publish = events.publish_export

    def once_it_runs(running):
        publish(running)
        if running.rows_done:
            end(Export.objects.get(pk=export.pk))

    monkeypatch.setattr(events, "publish_export", once_it_runs)
    started = time.monotonic()
    export_tasks.export(str(export.pk))

    assert time.monotonic() - started < 4  # of more than six seconds
    left = Export.objects.filter(pk=export.pk).first()
    assert left is None or (left.status == Status.CANCELED and left.rows_done < 60)
    assert files() == []


def test_one_that_is_canceled_in_the_queue_does_not_begin(user):
    export = queued(user)
    assert work.cancel(export)
    export_tasks.export(str(export.pk))
    export.refresh_from_db()
    assert (export.status, export.attempts) == (Status.CANCELED, 0)
    assert not work.cancel(export)


def test_what_breaks_off_is_tried_three_times(user, monkeypatch):
    def full(*arguments):
        raise OSError("No space left on device")

    monkeypatch.setattr(exports, "write_rows", full)
    export = queued(user)
    for _ in range(4):
        export_tasks.export(str(export.pk))
    export.refresh_from_db()
    assert (export.status, export.attempts) == (Status.FAILED, 3)
    assert export.error_code == "gave_up"
    assert files() == []


def test_after_an_error_in_the_middle_the_connection_is_free(user, monkeypatch):
    histories.photo(user, faces=5)
    monkeypatch.setattr(exports, "BATCH", 2)
    monkeypatch.setattr("recognition.history.table_files.CsvFile.write", lambda *_: 1 / 0)
    export = done(user)
    assert (export.status, export.lease_owner) == (Status.QUEUED, "")


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_loses_nothing(worker, user):
    histories.photo(user, faces=4)
    first = worker(MIEN_TEST_PAUSE="30")
    export = queued(user)
    history_tasks.enqueue(str(export.pk))

    def status() -> str:
        return Export.objects.values_list("status", flat=True).get(pk=export.pk)

    wait_until(lambda: status() == Status.RUNNING, "the worker to begin")
    first.kill()
    worker()

    def swept() -> bool:
        job_tasks.requeue_stale()
        return status() == Status.SUCCEEDED

    wait_until(swept, "the export", seconds=60)
    export.refresh_from_db()
    assert (export.attempts, len(lines_of(export))) == (2, 4)


def test_a_message_that_was_lost_is_sent_again(user):
    export = queued(user)
    assert sweep("export") == []
    Export.objects.update(enqueued_at=timezone.now() - timedelta(minutes=1))
    assert sweep("export") == [str(export.pk)]


def test_after_seven_days_row_and_file_are_gone(user):
    histories.photo(user)
    old, young = done(user), done(user)
    Export.objects.filter(pk=old.pk).update(finished_at=timezone.now() - timedelta(days=7.1))
    exports.delete_old()
    assert list(Export.objects.all()) == [young]
    assert files() == [f"{young.lease_owner}.csv"]


def test_the_files_of_a_deleted_account_are_swept_up(user, monkeypatch):
    export = done(user)
    default_storage.open(f"exports/{export.pk}.partial", "w").close()
    get_user_model().objects.filter(pk=user.pk).delete()
    assert not Export.objects.exists()
    job_files.delete_orphans()
    assert len(files()) == 2  # recent ones may belong to running work
    monkeypatch.setattr(job_files, "ORPHANED_AFTER", timedelta(0))
    job_files.delete_orphans()
    assert files() == []


def test_the_file_of_an_export_that_is_kept_is_not_swept_up(user, monkeypatch):
    done(user)
    monkeypatch.setattr(job_files, "ORPHANED_AFTER", timedelta(0))
    job_files.delete_orphans()
    assert len(files()) == 1


def test_its_size_counts_as_stored(user):
    export = done(user)
    assert allowances.usage(user)["stored_bytes"] == export.size > 0


def test_an_export_that_was_finished_meanwhile_is_deleted_with_its_file(user):
    export = Export.objects.create(owner=user, format="csv")
    export_tasks.export(str(export.pk))
    name = Export.objects.get().file.name
    exports.delete(export)  # as it was read before
    assert not default_storage.exists(name)
