"""What the queues hold and what the workers are doing, as Redis and the workers themselves say."""

import logging
import os
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypedDict

import redis
from celery import current_app
from celery.signals import worker_process_shutdown, worker_ready, worker_shutting_down
from celery.worker import state as worker_state
from celery.worker.control import inspect_command
from django.conf import settings

from recognition import health, metrics
from recognition.engine import confinement

logger = logging.getLogger(__name__)

# A worker of one process answers between two tasks only: waiting longer would not reach it.
ANSWER_SECONDS = 0.7


class Task(TypedDict):
    """A task that a worker carries out; `pid` and `since` are null for a moment at its start."""

    name: str
    pid: int | None
    since: str | None


class Worker(TypedDict):
    """A worker that has answered: `processes` are those that carry out its tasks."""

    name: str
    host: str
    pid: int
    queues: list[str]
    processes: list[int]
    tasks: list[Task]


@inspect_command()
def describe_worker(state: Any) -> dict:
    """In the worker: its answer. The arguments of tasks are nobody's business."""
    consumer = state.consumer
    return {
        "pid": os.getpid(),
        "queues": sorted(queue.name for queue in consumer.task_consumer.queues),
        # Threads have none but the worker's own.
        "processes": list(consumer.pool.info.get("processes", [os.getpid()])),
        "tasks": [
            {"name": task.name, "pid": task.worker_pid, "since": _began(task.time_start)}
            for task in worker_state.active_requests
        ],
    }


def _began(start: float | None) -> float | None:
    """When a task began, as a time of day: pools of threads note their monotonic clock instead."""
    if start is None or start > 1e9:
        return start
    return time.time() - (time.monotonic() - start)


def ask_workers() -> list[Worker]:
    """The workers that answer, by name. Raises one of broker.BROKER_TROUBLE."""
    answers = current_app.control.broadcast("describe_worker", reply=True, timeout=ANSWER_SECONDS)
    found = {name: answer for reply in answers or [] for name, answer in reply.items()}
    # One that still runs the code of before an upgrade knows no such question.
    return [
        _describe(name, answer) for name, answer in sorted(found.items()) if "error" not in answer
    ]


def _describe(name: str, answer: dict) -> Worker:
    tasks: list[Task] = [
        {"name": task["name"], "pid": task["pid"], "since": _iso(task["since"])}
        for task in answer["tasks"]
    ]
    return {
        "name": name,
        "host": name.partition("@")[2],
        "pid": answer["pid"],
        "queues": answer["queues"],
        "processes": answer["processes"],
        "tasks": tasks,
    }


def _iso(seconds: float | None) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds else None


# --- In a worker: being heard of --------------------------------------------------------------

_stopped = threading.Event()


@worker_ready.connect
def _begin(sender: Any, **_: object) -> None:
    """Say every few seconds that this worker is there, from a thread: a task can take hours."""
    queues = sorted(queue.name for queue in sender.task_consumer.queues)
    arguments = (sender.hostname, queues)
    threading.Thread(target=_keep_saying, args=arguments, daemon=True).start()
    metrics.serve_worker()
    if missing := confinement.missing():
        logger.warning("Decoders of uploads are less confined here. %s", " ".join(missing))


def _keep_saying(worker: str, queues: list[str]) -> None:
    while True:
        with suppress(redis.RedisError, OSError):  # said again soon
            health.note_worker(worker, queues)
        if _stopped.wait(health.BEAT_SECONDS):
            break
    with suppress(redis.RedisError, OSError):
        health.forget_worker(worker, queues)


@worker_shutting_down.connect
def _end(**_: object) -> None:
    _stopped.set()


@worker_process_shutdown.connect
def _end_process(pid: int | None = None, **_: object) -> None:
    metrics.forget_process(pid)


def queue_lengths(queues: list[str]) -> dict[str, int]:
    """How many messages wait in each queue, not counting those that workers have taken.

    Raises RedisError, within a second where nothing answers.
    """
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1
    ) as client:
        return {queue: client.llen(f"{prefix}{queue}") for queue in queues}
