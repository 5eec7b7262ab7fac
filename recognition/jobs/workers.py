"""What the queues hold and what the workers are doing, as Redis and the workers themselves say."""

import os
import time
from datetime import UTC, datetime
from typing import Any, TypedDict

import redis
from celery import current_app
from celery.worker import state as worker_state
from celery.worker.control import inspect_command
from django.conf import settings

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


def queue_lengths(queues: list[str]) -> dict[str, int]:
    """How many messages wait in each queue, not counting those that workers have taken.

    Raises RedisError, within a second where nothing answers.
    """
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1
    ) as client:
        return {queue: client.llen(f"{prefix}{queue}") for queue in queues}
