"""How jobs change hands: claimed, held by a lease, changed, put back, swept up.

The same for exports, and for checks, runs and evaluations of trainings. Every change is a
conditional UPDATE, so that a message that is delivered twice does nothing the second time.
"""

import logging
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError, connection, models
from django.db.models import F
from django.utils import timezone

from recognition import pauses
from recognition.models import Job

logger = logging.getLogger(__name__)

Status = Job.Status
AnyJob = TypeVar("AnyJob", bound=Job)

# A queued job this old may have lost its message.
LOST_AFTER = timedelta(seconds=30)


def claim(queued: "models.QuerySet[AnyJob]") -> AnyJob | None:
    """Take the first of these queued jobs for this process, or None if there is none to take.

    Nor is there one while their queue is paused.
    """
    if pauses.is_paused(queued.model.queue):
        return None
    for pk in queued.filter(status=Status.QUEUED).values_list("pk", flat=True):
        now, owner = timezone.now(), str(uuid.uuid4())
        rows = queued.model.objects.filter(pk=pk)
        if rows.filter(status=Status.QUEUED).update(
            status=Status.RUNNING,
            attempts=F("attempts") + 1,
            sequence=F("sequence") + 1,
            lease_owner=owner,
            lease_expires_at=now + timedelta(seconds=settings.LEASE_SECONDS),
            started_at=now,
            worker=this_process(),
        ):
            return rows.filter(lease_owner=owner).first()
    return None


def this_process() -> str:
    """The host and the number of this process, as a job names who carries it out."""
    return f"{socket.gethostname()[:90]}:{os.getpid()}"


def owned(job: AnyJob) -> "models.QuerySet[AnyJob]":
    """The row while this process still holds it; empty once it was deleted or swept up."""
    rows = type(job).objects.filter(pk=job.pk, status=Status.RUNNING)
    return rows.filter(lease_owner=job.lease_owner)


def change(job: Job, **values) -> bool:
    """Write `values` to the row that this process holds; False if it no longer does.

    Renews the lease, unless the values end it.
    """
    values["sequence"] = job.sequence + 1
    if values.get("status", Status.RUNNING) == Status.RUNNING:
        expires_at = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
        values.setdefault("lease_expires_at", expires_at)
    if not owned(job).update(**values):
        return False
    for name, value in values.items():
        setattr(job, name, value)
    return True


def finish(job: Job, **values) -> bool:
    """End a job that this process holds, by default well; False if it no longer holds it."""
    values.setdefault("status", Status.SUCCEEDED)
    return change(job, finished_at=timezone.now(), **values)


def fail(job: Job, code: str, message: str, **values) -> bool:
    """End a job that this process holds with a reason."""
    return finish(job, status=Status.FAILED, error_code=code, error_message=message, **values)


def put_back(job: Job, most_attempts: int, gave_up: str, **values) -> bool:
    """Queue a job again that broke off, or fail it with the words `gave_up` after its last attempt.

    It keeps its place: the time at which it was queued stays.
    """
    if job.attempts >= most_attempts:
        return fail(job, "gave_up", gave_up, **values)
    return change(job, status=Status.QUEUED, lease_owner="", lease_expires_at=None, **values)


def give_back(job: Job, **values) -> bool:
    """Queue a job again that this process may not finish; it is as if it had not begun."""
    values |= {"status": Status.QUEUED, "attempts": job.attempts - 1}
    return change(job, lease_owner="", lease_expires_at=None, **values)


def cancel(job: Job) -> bool:
    """End a queued or running job; False if it has ended already.

    A worker that has it just now notices when it wants to write.
    """
    unfinished = [Status.QUEUED, Status.RUNNING]
    rows = (
        type(job)
        .objects.filter(pk=job.pk, status__in=unfinished)
        .update(status=Status.CANCELED, finished_at=timezone.now(), sequence=F("sequence") + 1)
    )
    job.refresh_from_db()
    return bool(rows)


def enqueue_again(job: Job, **values) -> bool:
    """Queue a job once more that has ended otherwise than well, as if it were new."""
    ended = type(job).objects.filter(pk=job.pk, status__in=[Status.FAILED, Status.CANCELED])
    now = timezone.now()
    values |= {"status": Status.QUEUED, "attempts": 0, "error_code": "", "error_message": ""}
    values |= {"traceback": "", "enqueued_at": now, "waiting_since": now, "finished_at": None}
    if not ended.update(sequence=F("sequence") + 1, **values):
        return False
    job.refresh_from_db()
    return True


def abandoned(model: type[AnyJob]) -> Iterator[AnyJob]:
    """Running jobs whose lease ran out; the caller holds each when it is given."""
    now = timezone.now()
    for job in model.objects.filter(status=Status.RUNNING, lease_expires_at__lt=now):
        # Taking the lease over keeps a worker that is late, not dead, from renewing it meanwhile.
        if _take_over(job, now):
            logger.warning("The worker of %s is gone", job)
            yield job


def _take_over(job: Job, now: datetime) -> bool:
    lease_owner = str(uuid.uuid4())
    taken = owned(job).filter(lease_expires_at__lt=now).update(lease_owner=lease_owner)
    job.lease_owner = lease_owner
    return bool(taken)


@contextmanager
def held_lease(job: Job) -> Iterator[None]:
    """Renews the lease of a running job in a thread for as long as the work goes on."""
    done = threading.Event()
    held = copy(job)

    def renew() -> None:
        while not done.wait(settings.LEASE_SECONDS / 3):
            expires_at = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
            try:
                owned(held).update(lease_expires_at=expires_at)
            except DatabaseError:
                logger.warning("The lease of %s was not renewed", held.pk, exc_info=True)
            finally:
                connection.close()

    thread = threading.Thread(target=renew, name=f"lease-{job.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def forgotten(model: type[Job]) -> list[str]:
    """Keys of jobs that have been queued for a while, due for another message: one too many does
    nothing. None while their queue is paused."""
    now = timezone.now()
    lost_before = pauses.lost_before(model.queue, now - LOST_AFTER)
    if lost_before is None:
        return []
    queued = model.objects.filter(status=Status.QUEUED, enqueued_at__lt=lost_before)
    keys = list(queued.order_by("enqueued_at").values_list("pk", flat=True))
    model.objects.filter(pk__in=keys).update(enqueued_at=now)
    return [str(pk) for pk in keys]
