"""Fixtures: a real Redis for every test, and real workers or a whole site on request."""

import io
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import skimage.data
from django.conf import settings
from django.db import connection
from PIL import Image

from tests.processes import ROOT, Process, RedisServer, free_port, start_worker, wait_until


@pytest.fixture(scope="session", autouse=True)
def redis_server():
    """The Redis of the test run's settings."""
    server = RedisServer(settings.REDIS_SOCKET)
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def quick_settings(settings):
    """Static files without hashes, and a fast password hasher."""
    plain = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": plain}}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def fresh_cache(redis_server):
    """Rate limits start at zero in each test."""
    redis_server.clear_cache()


@pytest.fixture
def worker(transactional_db, redis_server, tmp_path):
    """Starts real Celery workers on the test's database: `worker()` gives a process."""
    workers = []

    def start(**environment: str) -> Process:
        name = str(connection.settings_dict["NAME"])
        log = tmp_path / f"worker-{len(workers)}.log"
        workers.append(start_worker(log, MIEN_TEST_DATABASE=name, **environment))
        return workers[-1]

    yield start
    for process in workers:
        process.kill()
    redis_server.client.flushdb()


class LiveSite:
    """A whole site: Redis, web server and a worker on a new data folder."""

    queues = "analyses,maintenance,frames,exports,videos"

    def __init__(self, data_dir: Path, **environment: str):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data_dir = data_dir
        self.environment = {"MIEN_DATA": str(data_dir), "PORT": str(self.port), "DATABASE_URL": ""}
        self.environment |= environment
        for arguments in (["migrate", "-v0"], ["collectstatic", "--noinput", "-v0"]):
            self.manage(*arguments)
        self.redis = RedisServer(data_dir / "run" / "redis.sock")
        self.worker = start_worker(data_dir / "worker.log", self.queues, **self.environment)
        self.start_web()

    def manage(self, *arguments: str) -> str:
        """The output of a management command on this site."""
        command = [sys.executable, "manage.py", *arguments]
        environment = {**os.environ, **self.environment}
        return subprocess.run(
            command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
        ).stdout

    def start_web(self) -> None:
        command = [sys.executable, "-m", "uvicorn", "fer_site.asgi:application"]
        command += ["--port", str(self.port), "--lifespan", "off", "--no-access-log"]
        command += ["--ws-max-size", "4194304", "--ws-per-message-deflate", "false"]
        self.web = Process(command, self.data_dir / "web.log", **self.environment)
        wait_until(self.answers, f"the web server, see {self.data_dir}/web.log")

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/").is_success
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        for process in (self.web, self.worker):
            process.kill()
        self.redis.stop()


@pytest.fixture(scope="session")
def live_site(tmp_path_factory):
    """A site before its first visit."""
    site = LiveSite(tmp_path_factory.mktemp("site"))
    yield site
    site.stop()


@pytest.fixture
def user(db, django_user_model):
    """A person who isn't an administrator, on a site that is set up."""
    django_user_model.objects.create_superuser("admin", "admin@example.org", "correct horse")
    return django_user_model.objects.create_user("ada", "ada@example.org", "correct horse")


@pytest.fixture
def other_user(db, django_user_model):
    return django_user_model.objects.create_user("eve", "eve@example.org", "correct horse")


@pytest.fixture
def signed_in(client, user):
    """A test client of `user`."""
    client.force_login(user)
    return client


def confirm(client) -> None:
    """The person of a test client enters their password once more."""
    client.post("/accounts/reauthenticate/", {"password": "correct horse"})


def encode(rgb, format: str = "JPEG", **options) -> bytes:
    """A picture file of an array."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, format, **options)
    return file.getvalue()


@pytest.fixture(scope="session")
def astronaut() -> bytes:
    """A JPEG photo with one face (public domain, from scikit-image)."""
    return encode(skimage.data.astronaut())


@pytest.fixture(scope="session")
def coffee() -> bytes:
    """A JPEG photo without a face (from scikit-image)."""
    return encode(skimage.data.coffee())
