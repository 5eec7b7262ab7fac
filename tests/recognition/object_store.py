"""A server of S3's that can be slow and fail now and then, and the site's storage on it."""

import itertools
import threading
import time

import boto3
import httpx
import pytest
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from fer_site.object_storage import s3_options, s3_server


class Flaky:
    """A WSGI application in front of the server: each fourth answer is "slow down"."""

    def __init__(self, app):
        self.app, self.count, self.fails = app, itertools.count(), False

    def __call__(self, environ, start_response):
        if self.fails:
            time.sleep(0.01)
            if next(self.count) % 4 == 3:
                environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                start_response("503 Slow Down", [("Content-Type", "application/xml")])
                return [b"<Error><Code>SlowDown</Code></Error>"]
        return self.app(environ, start_response)


@pytest.fixture(scope="module")
def server():
    flaky = Flaky(DomainDispatcherApplication(create_backend_app))
    http = make_server("127.0.0.1", 0, flaky, threaded=True)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    http.flaky, http.url = flaky, f"http://127.0.0.1:{http.server_port}"
    http.environment = {
        "MIEN_S3_ENDPOINT": http.url,
        "MIEN_S3_ACCESS_KEY": "key",
        "MIEN_S3_SECRET_KEY": "secret",
    }
    yield http
    http.shutdown()


@pytest.fixture
def bucket(server, settings, monkeypatch):
    """A client of the server with an empty bucket, which the site knows but doesn't use."""
    server.flaky.fails = False
    httpx.post(f"{server.url}/moto-api/reset")
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    client = boto3.client("s3", endpoint_url=server.url, region_name="us-east-1", **keys)
    client.create_bucket(Bucket="mien")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    settings.S3_SERVER = s3_server()
    return client


@pytest.fixture
def s3(bucket, settings, monkeypatch, tmp_path):
    """The site's storage is a new bucket."""
    monkeypatch.setenv("MIEN_S3_BUCKET", "mien")
    use(settings, s3_options())
    settings.MEDIA_CACHE_DIR = tmp_path / "cache"
    settings.MEDIA_ROOT = tmp_path / "media"
    return bucket


def use(settings, options: dict) -> None:
    settings.S3 = options
    backend = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"default": backend}


def keys_in(client, prefix: str = "") -> list[str]:
    found = client.list_objects_v2(Bucket="mien", Prefix=prefix).get("Contents", [])
    return sorted(item["Key"] for item in found)
