"""What administrators see of jobs: queues, workers, what runs and waits, what failed and why.

Of an analysis they see whose it is and how it went, never the photo or its title.
"""

import logging
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Count, Min, Q
from django.utils import timezone
from redis.exceptions import RedisError

from recognition import health, metrics
from recognition.describe import Message
from recognition.jobs import workers
from recognition.jobs.broker import BROKER_TROUBLE
from recognition.jobs.kinds import KINDS, pausable_queues
from recognition.jobs.lease import UNFINISHED
from recognition.models import Job, QueueSwitch

if TYPE_CHECKING:
    from prometheus_client.core import Metric

logger = logging.getLogger(__name__)

Status = Job.Status

QUEUES: list[str] = settings.QUEUES
MOST_SHOWN = 25  # of those that run, that wait and that failed, of each kind


class JobState(TypedDict):
    """A job of any kind. `name` is null for analyses: their titles are their owners' alone.

    `worker` is the host and process that has it or had it last; `silent` that nothing was heard
    of it for longer than a lease, so that the job goes to another one.
    """

    kind: str
    id: str
    queue: str
    name: str | None
    person: str | None
    status: str
    attempts: int
    worker: str
    silent: bool
    created_at: str
    waiting_since: str
    started_at: str | None
    finished_at: str | None
    error: Message | None
    traceback: str
    retryable: bool
    cancelable: bool
    url: str | None


class QueueState(TypedDict):
    """A queue. `messages` wait in Redis, null where it cannot be reached; the jobs are rows."""

    name: str
    pausable: bool
    paused: bool
    changed_by: str | None
    changed_at: str | None
    messages: int | None
    queued: int
    running: int
    oldest_queued_at: str | None
    oldest_running_at: str | None


class FailureCount(TypedDict):
    """How many jobs of a kind have failed with a code, and how many can be tried again."""

    kind: str
    code: str
    count: int
    retryable: int


class SiteHealth(TypedDict):
    """What keeps the site from being ready, as sentences, and the main figures of /metrics."""

    problems: list[str]
    figures: dict[str, float]


class Overview(TypedDict):
    """All that the database knows of jobs, and how many messages wait in Redis."""

    now: str
    site: SiteHealth
    reachable: bool
    queues: list[QueueState]
    running: list[JobState]
    waiting: list[JobState]
    failed: list[FailureCount]
    failures: list[JobState]
    canceled: list[JobState]


class WorkState(TypedDict):
    """What a process of a worker does; `job` is null for the site's own housekeeping."""

    task: str | None
    pid: int | None
    since: str | None
    job: JobState | None


class WorkerState(TypedDict):
    """A worker. One that is busy in its only process does not answer: `name` is null then, and
    what it does is known from the database."""

    name: str | None
    host: str
    pid: int | None
    queues: list[str]
    answers: bool
    work: list[WorkState]


class Workers(TypedDict):
    """The workers, and how many of them take from each queue."""

    reachable: bool
    workers: list[WorkerState]
    consumers: dict[str, int]


def describe_all() -> Overview:
    """The whole page but the workers, which take a moment to answer."""
    lengths = _queue_lengths()
    return {
        "now": timezone.now().isoformat(),
        "site": {
            "problems": list(health.find_problems(tuple(health.CHECKS)).values()),
            "figures": metrics.read_figures("site", "live", "model", "runs"),
        },
        "reachable": lengths is not None,
        "queues": describe_queues(lengths),
        "running": _newest(Q(status=Status.RUNNING), "started_at"),
        "waiting": _newest(Q(status=Status.QUEUED), "waiting_since"),
        "failed": count_failures(),
        "failures": _newest(Q(status=Status.FAILED), "-finished_at"),
        "canceled": _newest(Q(status=Status.CANCELED), "-finished_at"),
    }


def describe_queues(lengths: dict[str, int] | None) -> list[QueueState]:
    switches = {row.queue: row for row in QueueSwitch.objects.select_related("changed_by")}
    unfinished, pausable = count_unfinished(), pausable_queues()
    found: list[QueueState] = []
    for name in QUEUES:
        switch = switches.get(name)
        queued, oldest_queued_at = unfinished.get((name, Status.QUEUED), (0, None))
        running, oldest_running_at = unfinished.get((name, Status.RUNNING), (0, None))
        found.append(
            {
                "name": name,
                "pausable": name in pausable,
                "paused": bool(switch and switch.paused),
                "changed_by": _email(switch.changed_by) if switch else None,
                "changed_at": _iso(switch.changed_at) if switch else None,
                "messages": lengths[name] if lengths is not None else None,
                "queued": queued,
                "running": running,
                "oldest_queued_at": _iso(oldest_queued_at),
                "oldest_running_at": _iso(oldest_running_at),
            }
        )
    return found


def count_unfinished() -> dict[tuple[str, str], tuple[int, datetime | None]]:
    """How many jobs wait in or run from each queue, and since when the oldest of them does."""
    counts: dict[tuple[str, str], tuple[int, datetime | None]] = {}
    for kind in KINDS.values():
        unfinished = kind.jobs().filter(status__in=UNFINISHED)
        for row in unfinished.values("status").annotate(
            count=Count("pk"), queued=Min("waiting_since"), running=Min("started_at")
        ):
            count, oldest = counts.get((kind.queue, row["status"]), (0, None))
            oldest = min(filter(None, (oldest, row[row["status"]])), default=None)
            counts[kind.queue, row["status"]] = (count + row["count"], oldest)
    return counts


def describe_queue(name: str) -> QueueState:
    return next(queue for queue in describe_queues(_queue_lengths()) if queue["name"] == name)


def describe_workers() -> Workers:
    """What runs where: asks the workers, which takes most of a second."""
    running = _newest(Q(status=Status.RUNNING), "started_at")
    try:
        answers, reachable = workers.ask_workers(), True
    except BROKER_TROUBLE as error:
        logger.warning("The workers cannot be asked: %s", error)
        answers, reachable = [], False
    found = [_describe_worker(answer, running) for answer in answers]
    # What is left was claimed by a process that did not answer.
    found += [_describe_silent(job) for job in running if job["worker"]]
    consumers = Counter(dict.fromkeys(QUEUES, 0))
    consumers.update(queue for worker in found for queue in worker["queues"])
    return {"reachable": reachable, "workers": found, "consumers": dict(consumers)}


def count_failures() -> list[FailureCount]:
    found: list[FailureCount] = []
    for name, kind in KINDS.items():
        failed = kind.jobs().filter(status=Status.FAILED)
        rows = failed.values("error_code").annotate(
            count=Count("pk"), retryable=Count("pk", filter=kind.retryable)
        )
        for row in rows.order_by("-count", "error_code"):
            found.append(
                {
                    "kind": name,
                    "code": row["error_code"],
                    "count": row["count"],
                    "retryable": row["retryable"],
                }
            )
    return found


def job_metrics() -> Iterable["Metric"]:
    """Jobs that wait, run or have failed, messages, and since when the oldest job waits."""
    jobs = metrics.gauge("jobs", "Jobs that wait, run or have failed.", "kind", "state")
    states = [Status.QUEUED, Status.RUNNING, Status.FAILED]
    for name, kind in KINDS.items():
        rows = kind.jobs().filter(status__in=states).values_list("status")
        counts = dict(rows.annotate(Count("pk")).order_by())
        for state in states:
            jobs.add_metric([name, state], counts.get(state, 0))
    yield jobs
    age = metrics.gauge("queue_age_seconds", "How long the oldest job waits.", "queue")
    now, unfinished = timezone.now(), count_unfinished()
    for queue in QUEUES:
        oldest = unfinished.get((queue, Status.QUEUED), (0, None))[1]
        age.add_metric([queue], (now - oldest).total_seconds() if oldest else 0)
    yield age
    length = metrics.gauge("queue_length", "Messages that wait in Redis.", "queue")
    for queue, count in workers.queue_lengths(QUEUES).items():
        length.add_metric([queue], count)
    yield length


metrics.SOURCES["jobs"] = job_metrics


def describe_job(name: str, job: Any) -> JobState:
    """A row that Kind.described gave."""
    ended = job.status in (Status.FAILED, Status.CANCELED)
    kind = KINDS[name]
    expires_at = job.lease_expires_at
    error: Message | None = None
    if job.error_code:
        error = {"code": job.error_code, "message": job.error_message}
    return {
        "kind": name,
        "id": str(job.pk),
        "queue": kind.queue,
        "name": kind.title(job),
        "person": _email(getattr(job, kind.person)),
        "status": job.status,
        "attempts": job.attempts,
        "worker": job.worker,
        "silent": bool(job.status == Status.RUNNING and expires_at and expires_at < timezone.now()),
        "created_at": job.created_at.isoformat(),
        "waiting_since": job.waiting_since.isoformat(),
        "started_at": _iso(job.started_at),
        "finished_at": _iso(job.finished_at),
        "error": error,
        "traceback": job.traceback,
        "retryable": ended and job.can_retry,
        "cancelable": job.status in UNFINISHED and not getattr(job, "cancel_requested", False),
        "url": kind.page(job) if kind.page else None,
    }


def _newest(which: Q, order: str) -> list[JobState]:
    """Jobs of all kinds, by one of their times; "-" before it: the latest first."""
    found = [
        describe_job(name, job)
        for name, kind in KINDS.items()
        for job in kind.described().filter(which).order_by(order)[:MOST_SHOWN]
    ]
    field = order.removeprefix("-")
    return sorted(
        found, key=lambda job: str(cast(dict[str, Any], job)[field] or ""), reverse=order != field
    )


def _describe_worker(answer: workers.Worker, running: list[JobState]) -> WorkerState:
    """Takes the jobs that it carries out from `running`."""

    def job_of(task: workers.Task) -> JobState | None:
        worker = f"{answer['host']}:{task['pid']}"
        # Where threads carry out the tasks, a process has jobs of more than one queue.
        route = settings.CELERY_TASK_ROUTES.get(task["name"], {})
        wanted = worker, route.get("queue", settings.CELERY_TASK_DEFAULT_QUEUE)
        job = next((job for job in running if (job["worker"], job["queue"]) == wanted), None)
        if job is not None:
            running.remove(job)
        return job

    work: list[WorkState] = []
    for task in answer["tasks"]:
        job = job_of(task)
        work.append({"task": task["name"], "pid": task["pid"], "since": task["since"], "job": job})
    return {
        "name": answer["name"],
        "host": answer["host"],
        "pid": answer["pid"],
        "queues": answer["queues"],
        "answers": True,
        "work": work,
    }


def _describe_silent(job: JobState) -> WorkerState:
    host, _, pid = job["worker"].rpartition(":")
    number = int(pid) if pid else None
    work: WorkState = {"task": None, "pid": number, "since": job["started_at"], "job": job}
    return {
        "name": None,
        "host": host,
        "pid": number,
        "queues": [job["queue"]],
        "answers": False,
        "work": [work],
    }


def _queue_lengths() -> dict[str, int] | None:
    try:
        return workers.queue_lengths(QUEUES)
    except (RedisError, OSError) as error:
        logger.warning("The queues cannot be counted: %s", error)
        return None


def _email(person: User | None) -> str | None:
    return (person.email or str(person)) if person else None


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
