"""A whole site with a new data folder, started like `make run`, for the benchmarks."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from tests.processes import end_with_parent, free_port

EMAIL, PASSWORD = "bench@example.org", "a long enough password"


@dataclass(frozen=True)
class Site:
    """A running site: its address, root process and data folder."""

    url: str
    pid: int
    data_dir: str

    def sign_in(self) -> httpx.Client:
        """A client signed in as the administrator; the first call creates the account."""
        client = httpx.Client(base_url=self.url, timeout=60)
        form = client.get("/setup/")
        if form.status_code == 200:
            fields = {"email": EMAIL, "password1": PASSWORD, "password2": PASSWORD}
            self.submit(client, "/setup/", form.text, fields)
        else:
            page = client.get("/accounts/login/")
            fields = {"login": EMAIL, "password": PASSWORD}
            self.submit(client, "/accounts/login/", page.text, fields)
        client.headers["X-CSRFToken"] = client.cookies["csrftoken"]
        return client

    def submit(self, client: httpx.Client, path: str, page: str, fields: dict[str, str]) -> None:
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert found, f"no form on {path}"
        answer = client.post(path, data={"csrfmiddlewaretoken": found[1], **fields})
        assert answer.status_code == 302, f"{path} answered {answer.status_code}"


@contextmanager
def running_site() -> Iterator[Site]:
    """Start a site, wait until it is ready, and stop it at the end."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="mien-bench-") as data_dir:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.run"],
            env=os.environ | {"MIEN_DATA": data_dir, "PORT": str(port)},
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=end_with_parent,
        )
        try:
            assert any("is ready" in line for line in process.stdout), "the site did not start"
            yield Site(f"http://127.0.0.1:{port}", process.pid, data_dir)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()
