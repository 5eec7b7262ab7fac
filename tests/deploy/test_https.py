"""HTTPS as one host has it: Caddy with deploy/Caddyfile before nginx before a site."""

import json
import shutil
import ssl

import httpx
import pytest
from mien_client.live import stream

from tests.conftest import LiveSite
from tests.deploy.journey import SAMPLE, Visitor
from tests.deploy.test_nginx import Nginx
from tests.processes import ROOT, Process, free_port, wait_until
from tests.recognition.engine.clips import astronaut, write

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not shutil.which("nginx") or not shutil.which("caddy"), reason="needs nginx and Caddy"
    ),
]


class Caddy:
    """Caddy with the shipped file, at other ports and with a certificate of its own authority."""

    def __init__(self, folder, nginx: Nginx):
        self.http, self.https = free_port(), free_port()
        text = (ROOT / "deploy" / "Caddyfile").read_text()
        assert "reverse_proxy nginx:8080" in text
        text = text.replace("nginx:8080", f"127.0.0.1:{nginx.port}")
        options = f"admin off\nhttp_port {self.http}\nhttps_port {self.https}\nskip_install_trust\n"
        config = folder / "Caddyfile"
        config.write_text(f"{{\n{options}storage file_system {folder}/caddy\n}}\n{text}")
        command = ["caddy", "run", "--config", str(config), "--adapter", "caddyfile"]
        self.process = Process(command, folder / "caddy.log", MIEN_DOMAIN="localhost")
        self.root = folder / "caddy/pki/authorities/local/root.crt"
        self.url = f"https://localhost:{self.https}"
        wait_until(self.answers, f"Caddy, see {folder}/caddy.log")

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, verify=ssl.create_default_context(cafile=self.root))

    def answers(self) -> bool:
        try:
            return self.get("/health/").is_success
        except (httpx.TransportError, OSError):
            return False


@pytest.fixture(scope="module")
def caddy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("https")
    site = LiveSite(
        folder / "site",
        MIEN_PRODUCTION="true",
        MIEN_HTTPS="true",
        MIEN_TRUSTED_PROXIES="2",
        MIEN_SENDFILE="nginx",
    )
    nginx = Nginx(folder, site)
    caddy = Caddy(folder, nginx)
    yield caddy
    caddy.process.kill()
    nginx.process.kill()
    site.stop()


def test_the_first_analysis_and_a_live_session(caddy, tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(caddy.root))
    visitor = Visitor(caddy.url)
    visitor.set_up()
    assert visitor.analyze(SAMPLE.read_bytes())["status"] == "succeeded"
    assert all(cookie.secure for cookie in visitor.cookies)
    body = json.dumps({"name": "https", "scopes": ["read", "analyze"]}).encode()
    answer = visitor.request("/api/v1/keys/", body, **{"Content-Type": "application/json"})
    clip = write(tmp_path / "clip.mp4", (astronaut(n / 10) for n in range(10)), rate=10)
    replies = list(stream(caddy.url, json.loads(answer)["key"], str(clip), rate=5))
    assert "frame.result" in {reply["type"] for reply in replies}


def test_plain_http_leads_to_https(caddy):
    answer = httpx.get(f"http://localhost:{caddy.http}/dashboard/")
    assert answer.status_code == 308
    assert answer.headers["location"].startswith("https://localhost")
    page = caddy.get("/accounts/login/")
    assert page.headers["strict-transport-security"].startswith("max-age=31536000")
