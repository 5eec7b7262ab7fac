"""The shipped configuration of nginx before a site: files from the folder and from a bucket."""

import shutil
import threading
from pathlib import Path

import boto3
import httpx
import pytest
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from tests.conftest import LiveSite
from tests.deploy.hosts import nginx_config
from tests.deploy.journey import SAMPLE, Visitor
from tests.processes import Process, free_port, wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("nginx"), reason="nginx isn't installed"),
]


class Nginx:
    """nginx with deploy/nginx.conf, for a site on this machine."""

    def __init__(self, folder: Path, site: LiveSite):
        self.port = free_port()
        config = nginx_config(folder, f"127.0.0.1:{self.port}", f"127.0.0.1:{site.port}")
        # The folder that the containers share.
        (folder / "media").symlink_to(site.data_dir / "media")
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = Process(["nginx", "-c", str(config)], folder / "nginx.log")
        wait_until(self.answers, f"nginx, see {folder}/nginx.log")

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/").is_success
        except httpx.TransportError:
            return False


@pytest.fixture(scope="module")
def bucket():
    server = make_server(
        "127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    client = boto3.client("s3", endpoint_url=url, region_name="us-east-1", **keys)
    client.create_bucket(Bucket="mien")
    yield {
        "MIEN_S3_BUCKET": "mien",
        "MIEN_S3_ENDPOINT": url,
        "MIEN_S3_ACCESS_KEY": "key",
        "MIEN_S3_SECRET_KEY": "secret",
    }
    server.shutdown()


@pytest.mark.parametrize("where", ["folder", "bucket"])
def test_private_files_pass_through_nginx(where, bucket, tmp_path):
    environment = {"MIEN_SENDFILE": "nginx", **(bucket if where == "bucket" else {})}
    site = LiveSite(tmp_path / "site", **environment)
    nginx = Nginx(tmp_path, site)
    try:
        visitor = Visitor(nginx.url)
        visitor.set_up()
        analysis = visitor.analyze(SAMPLE.read_bytes())
        assert analysis["status"] == "succeeded", analysis
        path = f"{nginx.url}/analyses/{analysis['id']}/photo/"
        cookies = {cookie.name: cookie.value or "" for cookie in visitor.cookies}
        with httpx.Client(cookies=cookies) as client:
            photo = client.get(path)
            assert (photo.status_code, photo.headers["content-type"]) == (200, "image/jpeg")
            assert photo.content[:2] == b"\xff\xd8"
            assert photo.headers["x-content-type-options"] == "nosniff"
            assert "private" in photo.headers["cache-control"]
            part = client.get(path, headers={"range": "bytes=10-19"})
            assert (part.status_code, part.content) == (206, photo.content[10:20])
        assert httpx.get(path).status_code == 302  # to the sign-in
        for inner in ("private", "stored/http"):
            name = f"photos/{analysis['id']}.jpg"
            assert httpx.get(f"{nginx.url}/{inner}/{name}").status_code == 404
        stored = list((site.data_dir / "media").rglob("*.jpg"))
        assert bool(stored) == (where == "folder")
    finally:
        nginx.process.kill()
        site.stop()
