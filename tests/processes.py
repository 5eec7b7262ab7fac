"""Real Redis, workers and web servers for tests, ended together with the test that started them."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import redis

from deploy import redis_server

ROOT = Path(__file__).parent.parent


def wait_until(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Poll until `condition()` is true; fails the test with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def end_with_parent() -> None:
    """Let the kernel end the new program when the tests are gone.

    For `preexec_fn`. Fixtures end what they started; this covers a run that was killed first. See
    PR_SET_PDEATHSIG in prctl(2).
    """
    pr_set_pdeathsig = 1
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGTERM)


class Process:
    """A program in its own process group, with its output in a log file."""

    def __init__(self, command: list[str], log: Path, **environment: str):
        self.log = log
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )

    def kill(self) -> None:
        """Kill the whole group at once, like a crash of the machine."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()


class RedisServer:
    """The Redis or Valkey server that Mien runs by default, on a unix socket."""

    def __init__(self, socket_path: Path):
        self.socket_path = socket_path
        self.start()

    def start(self) -> None:
        self.socket_path.parent.mkdir(parents=True, exist_ok=True)
        command = [redis_server.ensure().path, "--port", "0", "--save", ""]
        command += ["--unixsocket", str(self.socket_path), "--dir", str(self.socket_path.parent)]
        self.process = Process(command, self.socket_path.with_suffix(".log"))
        self.client = redis.Redis(unix_socket_path=str(self.socket_path))
        wait_until(self.answers, "Redis")

    def answers(self) -> bool:
        try:
            return self.client.ping()
        except redis.ConnectionError:
            return False

    def clear_cache(self) -> None:
        """Empty the cache's database, which includes the rate limit counters."""
        with redis.Redis(unix_socket_path=str(self.socket_path), db=1) as cache:
            cache.flushdb()

    def stop(self) -> None:
        self.client.close()
        self.process.kill()
        self.socket_path.unlink(missing_ok=True)


def start_worker(
    log: Path,
    queues: str = "analyses,maintenance,exports",
    pool: str = "prefork",
    children: int = 1,
    **environment: str,
) -> Process:
    """A Celery worker with one child, or none if solo; returns when it is ready."""
    command = [sys.executable, "-m", "tests.worker", "worker", "-Q", queues, "-P", pool]
    command += ["-c", str(children)]
    command += ["--without-mingle", "--without-gossip", "--loglevel", "INFO"]
    role = queues if queues in ("frames", "exports", "training") else "analyses"
    worker = Process(command, log, **{"MIEN_ROLE": role, **environment})
    wait_until(lambda: b"ready." in log.read_bytes(), f"the worker of {queues}, see {log}")
    return worker
