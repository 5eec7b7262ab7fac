"""How jobs change hands: claimed, held by a lease, changed, put back, found again.

Every change is a conditional UPDATE whose row count decides, so a message that is delivered twice
does nothing the second time.
"""

import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import DatabaseError, connection, models
from django.db.models import F, Q
from django.utils import timezone

from recognition.jobs import pauses
from recognition.models import Job

logger = logging.getLogger(__name__)

Status = Job.Status
AnyJob = TypeVar("AnyJob", bound=Job)

ANY = Q()
UNFINISHED = (Status.QUEUED, Status.RUNNING)

# A queued job this old whose queue is empty has lost its message.
LOST_AFTER = timedelta(seconds=10)
# On a site whose queue is never empty, a job this old gets a second message to be sure.
SURELY_LOST_AFTER = timedelta(minutes=2)


def claim(queued: "models.QuerySet[AnyJob]", queue: str = "") -> AnyJob | None:
    """Take the first of these queued jobs for this process, or None if there is none to take.

    Nor is there one while their queue is paused; it is their model's unless given.
    """
    if pauses.is_paused(queue or queued.model.queue):
        return None
    for pk in queued.filter(status=Status.QUEUED).values_list("pk", flat=True):
        now, owner = timezone.now(), str(uuid.uuid4())
        rows = queued.model._default_manager.filter(pk=pk)
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
    rows = type(job)._default_manager.filter(pk=job.pk, status=Status.RUNNING)
    return rows.filter(lease_owner=job.lease_owner)


def change(job: Job, **values: Any) -> bool:
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


def finish(job: Job, **values: Any) -> bool:
    """End a job that this process holds, by default well; False if it no longer holds it."""
    values.setdefault("status", Status.SUCCEEDED)
    return change(job, finished_at=timezone.now(), **values)


def fail(job: Job, code: str, message: str, **values: Any) -> bool:
    """End a job that this process holds with a reason."""
    return finish(job, status=Status.FAILED, error_code=code, error_message=message, **values)


def put_back(job: Job, **values: Any) -> bool:
    """Queue an interrupted job again. It keeps its place, because the time it was queued stays."""
    return change(job, status=Status.QUEUED, lease_owner="", lease_expires_at=None, **values)


def give_back(job: Job, **values: Any) -> bool:
    """Queue a job again that this process may not finish; it is as if it had not begun."""
    values |= {"status": Status.QUEUED, "attempts": job.attempts - 1}
    return change(job, lease_owner="", lease_expires_at=None, **values)


def cancel(job: Job, which: Q = ANY) -> bool:
    """End a queued or running job, if it is one of `which`; False if it has ended already."""
    rows = type(job)._default_manager.filter(which, pk=job.pk)
    canceled = rows.filter(status__in=UNFINISHED).update(
        status=Status.CANCELED, finished_at=timezone.now(), sequence=F("sequence") + 1
    )
    job.refresh_from_db()
    return bool(canceled)


def enqueue_again(job: Job, which: Q = ANY, **values: Any) -> bool:
    """Queue a job that failed or was canceled as if it were new, if it is one of `which`."""
    now = timezone.now()
    ended = type(job)._default_manager.filter(
        which, pk=job.pk, status__in=[Status.FAILED, Status.CANCELED]
    )
    queued = ended.update(
        status=Status.QUEUED,
        sequence=F("sequence") + 1,
        attempts=0,
        lease_owner="",
        lease_expires_at=None,
        waiting_since=now,
        enqueued_at=now,
        started_at=None,
        finished_at=None,
        error_code="",
        error_message="",
        traceback="",
        **values,
    )
    job.refresh_from_db()
    return bool(queued)


def abandoned(jobs: "models.QuerySet[AnyJob]") -> Iterator[AnyJob]:
    """The running ones of these whose lease ran out; the caller holds each when it is given."""
    now = timezone.now()
    for job in jobs.filter(status=Status.RUNNING, lease_expires_at__lt=now):
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
def held(job: AnyJob, worth_telling: float, tell: Callable[[AnyJob], None]) -> Iterator[None]:
    """Renews the lease of a running job in a thread for as long as the work goes on.

    The same thread calls `tell` with the job once the work has taken `worth_telling` seconds.
    """
    done = threading.Event()
    begun = copy(job)  # the other thread may finish this one at any moment

    def renew() -> None:
        if done.wait(worth_telling):
            return
        try:
            if job.sequence == begun.sequence:  # else its worker has told more already
                tell(begun)
        except DatabaseError:
            logger.warning("That %s has begun was not told", begun.pk, exc_info=True)
        finally:
            connection.close()
        while not done.wait(settings.LEASE_SECONDS / 3):
            expires_at = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
            try:
                owned(begun).update(lease_expires_at=expires_at)
            except DatabaseError:
                logger.warning("The lease of %s was not renewed", begun.pk, exc_info=True)
            finally:
                connection.close()

    thread = threading.Thread(target=renew, name=f"lease-{job.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def forgotten(jobs: "models.QuerySet[Any]", messages: int, queue: str = "") -> list[str]:
    """Keys of those jobs that are due for another message, for theirs was lost; one too many does
    nothing. None while their queue is paused. `messages` wait in the queue."""
    now = timezone.now()
    patience = SURELY_LOST_AFTER if messages else LOST_AFTER
    lost_before = pauses.lost_before(queue or jobs.model.queue, now - patience)
    if lost_before is None:
        return []
    queued = jobs.filter(status=Status.QUEUED, enqueued_at__lt=lost_before)
    keys = list(queued.order_by("enqueued_at").values_list("pk", flat=True))
    queued.update(enqueued_at=now)
    return [str(pk) for pk in keys]
