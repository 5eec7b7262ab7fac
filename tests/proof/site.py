"""A whole site for a proof: started like `make run`, watched, and cut off from other machines."""

import os
import random
import re
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import httpx
import psycopg

from benchmarks.memory import command_line, process_tree
from benchmarks.site import Site
from tests.deploy.test_whole_site import Run, alive
from tests.postgres import PostgresServer, programs
from tests.processes import ROOT, free_port, wait_until

START_SECONDS = 400  # a few, unless the machine is very busy
PASSWORD = "a horse that is correct"
PROCESSES = {
    "web": "uvicorn",
    "worker-frames": "-Q frames",
    "worker-analyses": "-Q analyses",
    "worker-videos": "-Q videos",
    "worker-exports": "-Q exports",
    "worker-training": "-Q training",
    "beat": " beat ",
    "redis": "-server unixsocket",
    "video reader": "recognition.engine.reader",
    "trainer": "training.runs.process",
    "supervisor": "deploy.supervise",
    "run": "deploy.run",
}
"""What the processes of a site are called, by what their command lines contain."""

SETTINGS = {
    "MIEN_API_REQUESTS_PER_MINUTE": "1000000",
    "MIEN_WEBHOOK_NETWORKS": "127.0.0.0/8",
    "OMP_NUM_THREADS": "1",
}
FORGOTTEN = ("DJANGO_SETTINGS_MODULE", "DATABASE_URL", "REDIS_URL", "MIEN_LEASE_SECONDS")
"""What tests and shells may have set, and a site for a proof must not inherit."""


class ProofSite:
    """A running site, its database, and its processes by name."""

    def __init__(self, folder: Path, postgres: PostgresServer | None, **environment: str):
        self.data_dir, self.postgres, self.port = folder / "data", postgres, free_port()
        self.outside = folder / "outside.txt"
        self.environment = {
            **SETTINGS,
            "MIEN_DATA": str(self.data_dir),
            "PORT": str(self.port),
            "DATABASE_URL": postgres.url if postgres else "",
            "MIEN_PROOF_OUTSIDE": str(self.outside),
            "PYTHONPATH": f"{ROOT / 'tests' / 'proof' / 'only_here'}:{ROOT}",
            **environment,
        }
        self.run = Run(self.data_dir, self.port, **self.environment)
        self.url = self.run.url

    def wait_until_ready(self) -> None:
        wait_until(
            lambda: "is ready" in self.run.output() or self.run.ended(), "the site", START_SECONDS
        )
        assert not self.run.ended(), self.run.output()

    @property
    def database(self) -> str:
        if self.postgres is None:
            return "SQLite"
        return f"PostgreSQL {self.postgres.programs.parts[4]}"

    def rows(self, query: str) -> list[tuple]:
        """The rows of a query that both databases understand."""
        if self.postgres:
            return self.postgres.rows(query)
        file = f"file:{self.data_dir / 'mien.sqlite3'}?mode=ro"
        with closing(sqlite3.connect(file, uri=True, timeout=30)) as database:
            return database.execute(query).fetchall()

    def administrator(self) -> httpx.Client:
        """A browser of the administrator, who is created at the first call."""
        page = httpx.get(f"{self.url}/setup/", timeout=60)
        assert page.status_code < 500, f"{page.status_code}: {self.log('web')[-3000:]}"
        return Site(self.url, self.run.popen.pid, "").sign_in()

    def person(self, email: str) -> httpx.Client:
        """A browser of somebody who has just signed up."""
        client = httpx.Client(base_url=self.url, timeout=60)
        page = client.get("/accounts/signup/").text
        fields = {"email": email, "password1": PASSWORD, "password2": PASSWORD}
        Site(self.url, 0, "").submit(client, "/accounts/signup/", page, fields)
        client.headers["X-CSRFToken"] = client.cookies["csrftoken"]
        return client

    def processes(self) -> dict[int, str]:
        """The name of each process, by its number; a worker's children are named like it."""
        found = {}
        for pid in process_tree(self.run.popen.pid):
            line = command_line(pid)
            if line:
                names = (name for name, words in PROCESSES.items() if words in line)
                found[pid] = next(names, Path(line.split()[0]).name)
        return found

    def kill(self, name: str, chance: random.Random) -> bool:
        """SIGKILL one process of this name, parent or child; False if there is none just now."""
        if name == "postgres":
            assert self.postgres
            self.postgres.kill()
            time.sleep(chance.uniform(0.2, 2))
            self.postgres.start()
            return True
        pids = [pid for pid, known in self.processes().items() if known == name]
        if not pids:
            return False
        with suppress(ProcessLookupError):
            os.kill(chance.choice(pids), signal.SIGKILL)
        return True

    def deaths(self) -> list[str]:
        """What deploy.run has said of processes that died."""
        return re.findall(r"^(?:.* died .*|.* keeps dying .*)$", self.run.output(), re.MULTILINE)

    def log(self, name: str) -> str:
        """All that a process has logged."""
        logs = sorted((self.data_dir / "log").glob(f"{name}*.log*"))
        return "".join(log.read_text("utf-8", "replace") for log in logs)

    def asked_for(self) -> list[str]:
        """The other machines that were asked for, in vain."""
        return self.outside.read_text().splitlines() if self.outside.exists() else []

    def answers(self) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/health/ready/", timeout=10).is_success
        return False


@contextmanager
def proof_site(database: str = "sqlite", **environment: str) -> Iterator[ProofSite]:
    """Start a site with a new data folder; stop it at the end, and check that nothing is left.

    database: sqlite, postgres, or auto for PostgreSQL where a server is installed.
    """
    signal.signal(signal.SIGTERM, lambda signum, _frame: sys.exit(128 + signum))  # and clean up
    for name in FORGOTTEN:
        os.environ.pop(name, None)
    wanted = database == "postgres" or (database == "auto" and programs() is not None)
    postgres = PostgresServer() if wanted else None
    try:
        with tempfile.TemporaryDirectory(prefix="mien-proof-", ignore_cleanup_errors=True) as name:
            site = ProofSite(Path(name), postgres, **environment)
            try:
                site.wait_until_ready()
                yield site
            finally:
                pids = list(site.processes())
                if not site.run.ended():
                    site.run.stop(signal.SIGINT)
                assert not alive(pids), "processes are left after the stop"
    finally:
        if postgres:
            postgres.remove()


def wait_for(condition, what: str, seconds: float) -> bool:  # type: ignore[no-untyped-def]
    """Poll until `condition()` is true; False after `seconds`. Trouble of a store is no answer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError, sqlite3.OperationalError, psycopg.Error):
            if condition():
                return True
        time.sleep(0.2)
    return False
