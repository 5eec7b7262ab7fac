"""What happens to a job of any kind, and who hears of it: run, ended, retried, canceled, swept.

`lease` changes the rows; here the change is announced as its kind wants it.
"""

import functools
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.db import transaction

from recognition import metrics
from recognition.engine.errors import CodedError
from recognition.jobs import lease, pauses, tracebacks
from recognition.jobs.broker import BROKER_TROUBLE, queue_length
from recognition.jobs.kinds import KINDS, PARTS, Kind, kind_of
from recognition.models import Job

logger = logging.getLogger(__name__)

Status = Job.Status

# Seconds. Work that ends sooner goes from queued to its result without a word in between.
NOT_WORTH_TELLING = 0.3
MOST_AT_ONCE = 500  # jobs retried in one request


def submit(job: Job) -> None:
    """Send the message of a new job and tell open pages, once its row is committed."""
    kind = kind_of(job)
    transaction.on_commit(functools.partial(kind.enqueue, str(job.pk)), robust=True)
    transaction.on_commit(functools.partial(kind.publish, job), robust=True)


def run(kind: Kind, pk: str, work: Callable[[Any], None]) -> None:
    """Carry out a queued job; does nothing if another worker has it or it is gone.

    `work` ends the job with `finish` or `fail`. A CodedError fails it at once: trying again would
    not help. Any other trouble (a full disk, a database that went away) puts it back into the
    queue, `kind.most_attempts` times in all.
    """
    job = lease.claim(kind.jobs().filter(pk=pk), kind.queue)
    if job is None:
        return
    with lease.held(job, NOT_WORTH_TELLING, kind.publish):
        try:
            work(job)
        except CodedError as error:
            fail(job, error.code, error.message)
        except Exception as error:
            logger.exception("%s failed", job)
            # Read again: what a transaction wrote that was rolled back is still in memory.
            if held := lease.owned(job).first():
                put_back(held, traceback=tracebacks.describe(error))


def finish(job: Job, store: Callable[[], object] | None = None, **values: Any) -> bool:
    """End a job that this process holds, well unless `status` is given; False if it lost it.

    `store` writes what comes of the job, in the same transaction.
    """
    return _end(job, functools.partial(lease.finish, job, **values), store)


def fail(job: Job, code: str, message: str, **values: Any) -> bool:
    """End a job that this process holds with a reason; False if it lost it."""
    return _end(job, functools.partial(lease.fail, job, code, message, **values))


def _end(job: Job, end: Callable[[], bool], store: Callable[[], object] | None = None) -> bool:
    kind = kind_of(job)
    with transaction.atomic():
        ended = end()
        if ended and store:
            store()
        if ended:
            kind.on_end(job)
    if ended:
        kind.publish(job)
        _measure(kind, job)
    return ended


def _measure(kind: Kind, job: Any) -> None:
    if job.started_at and job.finished_at:
        waited = (job.started_at - job.waiting_since).total_seconds()
        ran = (job.finished_at - job.started_at).total_seconds()
        metrics.observe_job(kind.name, job.status, waited, ran)
        metrics.observe_stages(kind.name, getattr(job, "milliseconds", None) or {})
        if kind.name == "video" and job.seconds and job.status == Status.SUCCEEDED:
            metrics.observe_video(job.seconds / max(ran, 0.001))


def put_back(job: Job, **values: Any) -> None:
    """Queue an interrupted job again, or fail it after its last attempt.

    Its message is gone; the sweeper sends another one.
    """
    kind = kind_of(job)
    if job.attempts >= kind.most_attempts:
        fail(job, "gave_up", kind.gave_up, **{**kind.waiting, **values})
    elif lease.put_back(job, **{**kind.waiting, **values}):
        kind.publish(job)


def retry(job: Job) -> bool:
    """Queue a job again that failed or was canceled; False if it cannot be retried."""
    kind = kind_of(job)
    if kind.retry:
        return kind.retry(job)
    if not lease.enqueue_again(job, kind.retryable, **kind.waiting):
        return False
    submit(job)
    return True


def cancel(job: Job) -> bool:
    """End a queued or running job; False if it has ended already.

    A worker that has it just now notices when it wants to write.
    """
    kind = kind_of(job)
    if kind.cancel:
        return kind.cancel(job)
    if not lease.cancel(job, kind.rows):
        return False
    kind.publish(job)
    return True


def retry_failed(kind: Kind, code: str) -> int:
    """Retry the jobs that failed with this code, at most MOST_AT_ONCE; gives their number."""
    failed = kind.jobs().filter(kind.retryable, status=Status.FAILED, error_code=code)
    return sum(retry(job) for job in failed.order_by("created_at")[:MOST_AT_ONCE])


def pause(queue: str, user: Any) -> None:
    """Let no job of this queue begin; those that run end as they would."""
    pauses.switch(queue, True, user)


def resume(queue: str, user: Any, sweep: Callable[[], object]) -> None:
    """Let the jobs of this queue begin again; `sweep` asks the sweeper for their messages."""
    if pauses.switch(queue, False, user):
        with suppress(*BROKER_TROUBLE):  # beat asks every few seconds anyway
            sweep()


def sweep_all() -> None:
    """Bring back what a crash has stopped, of every kind; trouble with one holds up no other."""
    for kind in (KINDS | PARTS).values():
        try:
            (kind.sweep or functools.partial(sweep, kind))()
        except Exception:
            logger.exception("The jobs of the kind %s were not swept", kind.name)


def sweep(kind: Kind) -> None:
    """Put jobs back whose worker is gone, and send the messages that were lost."""
    for job in lease.abandoned(kind.jobs()):
        put_back(job)
        if job.status == Status.QUEUED:
            kind.enqueue(str(job.pk))
    for pk in lease.forgotten(kind.jobs(), queue_length(kind.queue), kind.queue):
        kind.enqueue(pk)
