"""What the site says about its own health."""

import pytest
import redis
from django.conf import settings
from django.db import DatabaseError, connection

from recognition import health

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def heard(redis_server):
    """A worker of every queue."""
    redis_server.client.delete(health.HEARD)
    health.note_worker("all@here", settings.QUEUES)
    yield
    redis_server.client.delete(health.HEARD)


def test_ready_lists_every_check(client):
    answer = client.get("/health/ready/")
    assert answer.status_code == 200
    names = ("database", "redis", "storage", "disk", "workers")
    assert answer.json() == {"status": "ok", "checks": dict.fromkeys(names, "ok")}


def test_a_queue_without_worker_is_named(client):
    health.forget_worker("all@here", ["videos"])
    answer = client.get("/health/ready/")
    assert answer.status_code == 503
    assert answer.json()["problems"] == ["No worker was heard of for 60 s: videos."]
    assert answer.json()["checks"]["database"] == "ok"
    assert client.get("/health/").status_code == 200


def test_a_silent_worker_is_no_worker(monkeypatch):
    later = health.time.time() + health.SILENT_SECONDS + 1
    monkeypatch.setattr(health.time, "time", lambda: later)
    assert set(health.count_workers().values()) == {0}
    health.note_worker("new@here", ["videos"])
    assert health.count_workers()["videos"] == 1


def test_a_full_disk_is_a_problem(client, settings):
    settings.MIN_FREE_BYTES = 1 << 60
    answer = client.get("/health/ready/")
    assert answer.status_code == 503
    assert "MB are free in the data folder" in answer.json()["checks"]["disk"]


def test_storage_that_takes_nothing_is_a_problem(client, settings, tmp_path):
    (tmp_path / "file").touch()
    settings.MEDIA_ROOT = tmp_path / "file" / "media"
    answer = client.get("/health/ready/")
    assert answer.status_code == 503
    assert answer.json()["checks"]["storage"].startswith("Nothing can be stored")


def test_parts_that_are_down_are_told_apart(client, settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    def fail(*_):
        raise DatabaseError

    monkeypatch.setattr(connection, "cursor", fail)
    problems = client.get("/health/ready/").json()["checks"]
    assert problems["database"] == "The database isn't responding."
    assert problems["redis"] == "Redis isn't responding."
    assert problems["storage"] == "ok"
    assert client.get("/health/").status_code == 503
    assert client.get("/health/live/").json() == {"status": "ok"}


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_heard_of_until_it_stops(worker, redis_server):
    redis_server.client.delete(health.HEARD)
    process = worker()
    counts = health.count_workers()
    assert (counts["analyses"], counts["exports"], counts["videos"]) == (1, 1, 0)
    process.popen.terminate()
    process.popen.wait(20)
    assert not any(health.count_workers().values())


def test_counting_needs_redis(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with pytest.raises(redis.RedisError):
        health.count_workers()
