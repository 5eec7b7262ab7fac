"""Processes started by a test run end with it, however it ends."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.processes import ROOT, wait_until

RUN = """
import time
from pathlib import Path
from tests.processes import RedisServer, start_worker

def test_that_never_ends():
    folder = Path({folder!r})
    RedisServer(folder / "run" / "redis.sock")
    start_worker(folder / "worker.log", MIEN_DATA=str(folder), DATABASE_URL="")
    (folder / "started").touch()
    time.sleep(600)
"""


def commands_about(folder: Path) -> list[str]:
    """The command lines of the processes that belong to a run in this folder."""
    found = []
    for process in psutil.process_iter():
        try:
            about = [*process.cmdline(), process.cwd(), process.environ().get("MIEN_DATA", "")]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(folder) in word for word in about):
            found.append(" ".join(process.cmdline()))
    return found


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path, because socket paths have at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="mien-") as name:
        yield Path(name)


@pytest.mark.slow
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_broken_off_leaves_no_process(folder, signum):
    tests = folder / "test_broken_off.py"
    tests.write_text(RUN.format(folder=str(folder)))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
    run = subprocess.Popen(
        [*command, f"--rootdir={folder}", str(tests)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        # A job in the background of a script ignores it, and so would this.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        wait_until((folder / "started").exists, "the run")
        assert len(commands_about(folder)) >= 3  # the run, Redis, the worker and its child
        run.send_signal(signum)
        run.wait(30)
        wait_until(lambda: not commands_about(folder), "the end of what it started", seconds=30)
    finally:
        run.kill()
