"""Health: whether this site can take requests, and what is in the way if it can't.

`/health/live/` says that the process runs, `/health/ready/` that everything it needs is there, and
`/health/` is the short answer for supervisors: database and Redis.
"""

import logging
import shutil
import time
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from recognition import health, storage

logger = logging.getLogger(__name__)

HEARD = "mien:workers"
"""A sorted set in Redis of "queue name" pairs, by the time when the worker was last heard of."""

BEAT_SECONDS = 15
SILENT_SECONDS = 60

STORAGE_SECONDS = 30  # for which the object storage is taken to be as it was
TROUBLE_SECONDS = 5  # the same, if it wasn't well
_storage_found: dict[str, tuple[float, str]] = {}

Check = Callable[[], str]
"""Gives a sentence about what is wrong, or "" if nothing is."""


def check_database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "The database isn't responding."
    return ""


def check_redis() -> str:
    try:
        with _redis() as client:
            client.ping()
    except (redis.RedisError, OSError):
        return "Redis isn't responding."
    return ""


def check_storage() -> str:
    """Object storage is asked now and then: probes and open pages of jobs want to know each few
    seconds, and some servers charge for each question."""
    if not storage.is_remote():
        return _ask_storage()
    place = f"{settings.S3['endpoint_url']} {settings.S3['bucket_name']}"
    asked, found = _storage_found.get(place, (-STORAGE_SECONDS, ""))
    if time.monotonic() - asked > (TROUBLE_SECONDS if found else STORAGE_SECONDS):
        found = _ask_storage()
        _storage_found[place] = time.monotonic(), found
    return found


def _ask_storage() -> str:
    try:
        storage.check()
    except OSError as error:
        return f"Nothing can be stored in the data folder: {error.strerror}."
    except Exception as error:
        if not storage.is_trouble(error):
            raise
        logger.warning("The object storage: %s", error)
        return "The object storage isn't responding."
    return ""


def check_disk() -> str:
    try:
        free = shutil.disk_usage(settings.DATA_DIR).free
    except OSError as error:
        return f"The data folder can't be read: {error.strerror}."
    if free < settings.MIN_FREE_BYTES:
        least = settings.MIN_FREE_BYTES // 1024**2
        return f"Only {free // 1024**2} MB are free in the data folder; {least} MB are needed."
    return ""


def check_workers() -> str:
    try:
        heard = count_workers()
    except (redis.RedisError, OSError):
        return "The workers can't be seen while Redis isn't responding."
    if missing := [queue for queue in settings.QUEUES if not heard[queue]]:
        return f"No worker was heard of for {SILENT_SECONDS} s: {', '.join(missing)}."
    return ""


CHECKS: dict[str, Check] = {
    "database": check_database,
    "redis": check_redis,
    "storage": check_storage,
    "disk": check_disk,
    "workers": check_workers,
}


def find_problems(names: tuple[str, ...] = ("database", "redis")) -> dict[str, str]:
    """What is wrong, by the name of the check; empty if all is well."""
    found = {name: CHECKS[name]() for name in names}
    return {name: problem for name, problem in found.items() if problem}


def note_worker(worker: str, queues: list[str]) -> None:
    """In a worker: say that it is there and takes from these queues. Raises RedisError."""
    now = time.time()
    with _redis() as client, client.pipeline() as together:
        together.zadd(HEARD, {f"{queue} {worker}": now for queue in queues})
        together.zremrangebyscore(HEARD, "-inf", now - SILENT_SECONDS)
        together.execute()


def forget_worker(worker: str, queues: list[str]) -> None:
    """In a worker that stops. Raises RedisError."""
    with _redis() as client:
        client.zrem(HEARD, *(f"{queue} {worker}" for queue in queues))


def count_workers() -> dict[str, int]:
    """How many workers of each queue were heard of lately. Raises RedisError.

    Unlike a question to the workers, this also counts those that are busy for hours.
    """
    with _redis() as client:
        heard = client.zrangebyscore(HEARD, time.time() - SILENT_SECONDS, "+inf")
    counts = dict.fromkeys(settings.QUEUES, 0)
    for entry in heard:
        queue = entry.decode().partition(" ")[0]
        if queue in counts:
            counts[queue] += 1
    return counts


def healthy(request: HttpRequest) -> HttpResponse:
    """200 if database and Redis respond, else 503."""
    return _answer(health.find_problems())


def live(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers: restarting it would help against nothing else."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> HttpResponse:
    """200 if every check passes, else 503, with the result of each."""
    problems = health.find_problems(tuple(CHECKS))
    return _answer(problems, checks={name: problems.get(name, "ok") for name in CHECKS})


def _answer(problems: dict[str, str], **more: object) -> HttpResponse:
    if problems:
        found = {"status": "unavailable", "problems": list(problems.values()), **more}
        return JsonResponse(found, status=503)
    return JsonResponse({"status": "ok", **more})


def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=1)
