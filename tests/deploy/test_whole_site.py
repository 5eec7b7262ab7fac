"""`make run` as a whole: start, restart of processes, stop."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from benchmarks.memory import command_line, process_tree
from tests.processes import ROOT, end_with_parent, free_port, wait_until

pytestmark = pytest.mark.slow


class Run:
    """`deploy.run` in a new session, as a terminal would start it."""

    def __init__(self, data_dir: Path, port: int, **environment: str):
        self.url = f"http://127.0.0.1:{port}"
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        self.log = data_dir.with_name(f"{port}.log")
        with self.log.open("ab") as output:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "deploy.run"],
                cwd=ROOT,
                env=os.environ | {"MIEN_DATA": str(data_dir), "PORT": str(port)} | environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=self.in_terminal,
            )

    @staticmethod
    def in_terminal() -> None:
        # A terminal's programs get SIGHUP even if the tests ignore it.
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        end_with_parent()

    def wait_until_ready(self) -> None:
        wait_until(lambda: "is ready" in self.output() or self.ended(), "the site", seconds=120)
        assert not self.ended(), self.output()

    def output(self) -> str:
        return self.log.read_text()

    def ended(self) -> bool:
        return self.popen.poll() is not None

    def pids(self, words: str) -> list[int]:
        """The processes of this run whose command line contains `words`."""
        return [pid for pid in process_tree(self.popen.pid) if words in command_line(pid)]

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/").is_success
        except httpx.TransportError:
            return False

    def stop(self, signum: int) -> float:
        """Signal the foreground group like a terminal; returns the seconds until the stop."""
        began = time.monotonic()
        os.killpg(self.popen.pid, signum)
        self.popen.wait(timeout=20)
        return time.monotonic() - began


@pytest.fixture
def start(tmp_path):
    runs = []

    def start(name: str = "data", **environment: str) -> Run:
        runs.append(Run(tmp_path / name, free_port(), **environment))
        return runs[-1]

    yield start
    for run in runs:
        if not run.ended():
            run.stop(signal.SIGTERM)


def alive(pids: list[int]) -> list[int]:
    """Those of them that still run; an ended one may wait for init to take note of it."""
    running = []
    for pid in pids:
        with contextlib.suppress(OSError):
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
            running += [pid] if state != "Z" else []
    return running


def test_it_starts_restarts_what_dies_and_stops(start):
    # Longer than a unix socket's path can be, and with spaces.
    run = start("/".join(["a folder with a long name"] * 5))
    run.wait_until_ready()
    assert run.url in run.output()
    assert httpx.get(run.url, follow_redirects=True, timeout=60).is_success

    for words in (
        "uvicorn",
        "-Q frames",
        "-Q analyses",
        "-Q exports",
        "-Q training",
        "beat",
        "-server unixsocket",
    ):
        old = run.pids(words)
        os.kill(old[0], signal.SIGKILL)
        wait_until(lambda old=old, words=words: set(run.pids(words)) - set(old), words)
    wait_until(run.answers, "the page after all processes were killed", seconds=60)

    pids = process_tree(run.popen.pid)
    assert run.stop(signal.SIGINT) < 10
    assert run.popen.returncode == 0
    assert alive(pids) == []


def test_copies_run_side_by_side_and_keep_their_data(start):
    first, other = start("one"), start("two")
    first.wait_until_ready()
    other.wait_until_ready()

    third = start("one")
    assert third.popen.wait(timeout=60) == 1
    assert "already runs on the data folder" in third.output()

    with httpx.Client(base_url=first.url, timeout=60) as visitor:
        visitor.get("/setup/")
        form = {"email": "ada@example.org", "csrfmiddlewaretoken": visitor.cookies["csrftoken"]}
        form |= dict.fromkeys(["password1", "password2"], "a horse that is correct")
        assert visitor.post("/setup/", data=form).is_redirect
    first.stop(signal.SIGHUP)
    assert other.answers()

    again = start("one")
    again.wait_until_ready()
    setup = httpx.get(f"{again.url}/setup/", timeout=60)
    assert setup.status_code != 200  # because the administrator exists


def test_nothing_is_left_when_it_is_killed_itself(start):
    run = start()
    run.wait_until_ready()
    pids = process_tree(run.popen.pid)
    run.popen.kill()
    run.popen.wait()
    wait_until(lambda: not alive(pids), "the end of all processes", seconds=15)


def test_a_stop_during_the_start_leaves_nothing(start):
    run = start()
    wait_until(lambda: run.pids("uvicorn"), "the web process")
    pids = process_tree(run.popen.pid)
    assert run.stop(signal.SIGINT) < 10
    assert alive(pids) == []


def test_a_site_that_cannot_start_says_why(start):
    run = start(DATABASE_URL="nonsense://")
    assert run.popen.wait(timeout=60) == 1
    assert "Mien cannot start" in run.output()
