"""Runs all of Mien on this machine: what `make run` starts.

supervisord (deploy/supervisord.conf) keeps the processes alive. This module prepares the data
folder, reports in plain sentences, forwards a stop, and leaves no process behind: all are in
supervisord's session, and whatever is left of that session is killed.
"""

import contextlib
import ctypes
import errno
import fcntl
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from deploy import redis_server

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 7.5  # for supervisord; a stop may take ten in total
SLOW_START_SECONDS = 30
DEATHS_WHILE_STARTING = 3
SAME_TROUBLE_SECONDS = 120  # between two deaths; supervisord waits at most a minute
PR_SET_PDEATHSIG = 1  # from linux/prctl.h

EVENT = re.compile(r" exited: (?P<program>[\w-]+) \((?P<how>[^;)]+)")


class CannotStart(Exception):
    """Why Mien can't start, as a sentence for the terminal."""


def say(text: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may be gone, but stopping must continue
        print(text, flush=True)


def check_path(path: Path) -> None:
    """Raise CannotStart for a path that doesn't work in supervisord's configuration."""
    if set(str(path)) & set('%"\\\n'):
        raise CannotStart(f'The path {path} has a %, " or \\ in it: choose another MIEN_DATA.')


def private_folder(path: Path) -> None:
    """Create a folder that only this account can enter, or raise CannotStart."""
    path.mkdir(mode=0o700, exist_ok=True)
    if path.stat().st_uid != os.geteuid() or path.is_symlink():  # anyone can create one in /tmp
        raise CannotStart(f"The folder {path} belongs to someone else.")
    path.chmod(0o700)


@contextlib.contextmanager
def claim(data_dir: Path) -> Iterator[None]:
    """Hold the data folder's lock; CannotStart while another copy of Mien holds it."""
    with open(data_dir / "run" / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"Mien already runs on the data folder {data_dir}. Stop that copy first, or "
                "use another folder and port: make run MIEN_DATA=var-2 PORT=8001"
            ) from None
        yield


def check_address(host: str, port: int) -> None:
    """Raise CannotStart unless a server could listen on `host` and `port` now."""
    if not 0 < port < 65536:
        raise CannotStart(f"PORT={port} isn't a port. Choose one from 1 to 65535.")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reasons = {
            errno.EADDRINUSE: f"Port {port} of {host} is used by another program. Stop it, "
            f"or choose another port: make run PORT={port + 1}",
            errno.EACCES: f"This account may not use port {port}: choose one above 1023.",
        }
        unknown = f"HOST={host} isn't an address of this machine ({error.strerror})."
        raise CannotStart(reasons.get(error.errno or 0, unknown)) from None


def local_host(host: str) -> str:
    """The host name under which a server listening on `host` is reached from this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def site_address(host: str, port: int) -> str:
    host = local_host(host)
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def analysis_processes() -> int:
    """One per usable core, at most four."""
    affinity = getattr(os, "sched_getaffinity", None)
    return min(4, len(affinity(0)) if affinity else os.cpu_count() or 1)


def environment(
    host: str, port: int, data_dir: Path, redis_socket: Path | None, redis_path: str = ""
) -> dict[str, str]:
    """Environment variables for all processes and for supervisord.conf."""
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "HOST": host,
        "PORT": str(port),
        "MIEN_DATA": str(data_dir),
        "REDIS_EMBEDDED": "true" if redis_socket else "false",
        "REDIS_SOCKET": str(redis_socket or ""),
        "REDIS_SERVER": redis_path or "redis-server",
        "ANALYSIS_PROCESSES": str(analysis_processes()),
        "VIDEO_PROCESSES": str(analysis_processes()),
        "MALLOC_ARENA_MAX": "2",  # glibc would keep an arena per thread, tens of MB in total
        "PYTHONUNBUFFERED": "1",
    }


def prepare_site(env: dict[str, str]) -> None:
    """Migrate, collect the static files and register the shipped model."""
    command = [sys.executable, "-m", "deploy.prepare"]
    # In a new session Ctrl-C doesn't reach it, so no traceback is shown.
    # The database is closed to other accounts even if the data folder isn't.
    done = subprocess.run(command, cwd=ROOT, env=env, umask=0o077, start_new_session=True)
    if done.returncode:
        raise CannotStart("Setting up the data folder failed. The reason is above.")


def choose_redis(folder: Path) -> str:
    """The Redis or Valkey executable for the queue in `folder`, or CannotStart."""
    try:
        server = redis_server.ensure()
    except redis_server.NoServer as error:
        raise CannotStart(str(error)) from None
    check_path(Path(server.path))
    if aside := redis_server.set_aside_unreadable(folder, server):
        say(f"{server} can't read the queue of the server before it, which is now in {aside}.")
        say("Nothing is lost: waiting work is queued again from the database.")
    return server.path


def session_members(session: int) -> list[int]:
    """The live processes of a session; empty on systems without /proc."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended
            state, _, _, owner = stat.read_text().rpartition(") ")[2].split()[:4]
            if int(owner) == session and state != "Z":
                found.append(int(stat.parent.name))
    return found


def end_session(session: int) -> None:
    """End the rest of a session: SIGTERM, and SIGKILL a second later."""
    for signum, seconds in ((signal.SIGTERM, 1.0), (signal.SIGKILL, 1.0)):
        for pid in session_members(session):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signum)
        deadline = time.monotonic() + seconds
        while session_members(session) and time.monotonic() < deadline:
            time.sleep(0.05)


def stop_with_parent() -> None:
    """Let Linux stop supervisord if this process is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def last_lines(log: Path, count: int = 8) -> str:
    try:
        lines = log.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in lines[-count:])


class Site:
    """One run of all processes."""

    def __init__(self, host: str, port: int, data_dir: Path) -> None:
        self.host, self.port, self.log_dir = host, port, data_dir / "log"
        self.supervisor: subprocess.Popen[bytes] | None = None
        self.deaths: dict[str, list[float]] = {}  # times by program, of the current failure only
        self.ready = False
        self.stopping = False
        self.failed = False

    def stop(self, _signum: int = 0, _frame: FrameType | None = None) -> None:
        if self.stopping:
            return
        self.stopping = True
        if self.supervisor is None:
            raise SystemExit(0)
        say("Stopping …")
        signal.setitimer(signal.ITIMER_REAL, STOP_SECONDS)
        self.supervisor.terminate()

    def overdue(self, _signum: int, _frame: FrameType | None) -> None:
        if self.supervisor:
            self.supervisor.kill()

    def handle_signals(self) -> None:
        # Explicitly, because shells start background jobs with SIGINT ignored.
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, self.stop)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup
            signal.signal(signal.SIGHUP, self.stop)
        signal.signal(signal.SIGALRM, self.overdue)

    def run(self, env: dict[str, str]) -> int:
        """Run until a signal, or until a process fails to start; returns the exit status."""
        command = [sys.executable, "-m", "deploy.supervise"]
        command += ["-c", str(ROOT / "deploy" / "supervisord.conf")]
        if os.geteuid() == 0:
            command += ["-u", "root"]  # supervisord wants this confirmed
        reader, writer = os.pipe()
        self.supervisor = subprocess.Popen(
            command,
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=subprocess.STDOUT,
            pass_fds=[reader],  # keeps the pipe readable if this process is killed
            start_new_session=True,
            preexec_fn=stop_with_parent,
        )
        os.close(writer)
        if self.stopping:  # the signal arrived while the process was starting
            self.supervisor.terminate()
        threading.Thread(target=self.announce, daemon=True).start()
        with open(reader, errors="replace") as lines:
            for line in lines:
                self.tell(line)
        self.supervisor.wait()
        signal.setitimer(signal.ITIMER_REAL, 0)
        end_session(self.supervisor.pid)
        if not self.stopping:
            say(f"supervisord has ended. The reason is in {self.log_dir}/supervisord.log")
        say("Mien has stopped.")
        return 1 if self.failed or not self.stopping else 0

    def announce(self) -> None:
        """Print the address as soon as the site responds."""
        began, reported, answer = time.monotonic(), False, "no answer"
        while not self.stopping:
            connection = http.client.HTTPConnection(local_host(self.host), self.port, timeout=5)
            try:
                connection.request("GET", "/health/")
                response = connection.getresponse()
                answer = f"status {response.status}: {response.read(500).decode()}"
                self.ready = response.status == 200
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            if self.ready:
                say(f"Mien is ready at {site_address(self.host, self.port)}  (Ctrl-C stops it)")
                return
            if not reported and time.monotonic() - began > SLOW_START_SECONDS:
                say(f"Mien is not ready yet ({answer}). The logs are in {self.log_dir}")
                reported = True
            time.sleep(0.2)

    def tell(self, line: str) -> None:
        """Report a line of supervisord's log as a sentence, if it matters to people."""
        if line.startswith("Error:"):
            say(line.rstrip())
        event = EVENT.search(line)
        if not event or self.stopping:
            return
        program = event["program"]
        log = self.log_dir / f"{program}.log"
        now, deaths = time.time(), self.deaths.setdefault(program, [])
        if deaths and now - deaths[-1] > SAME_TROUBLE_SECONDS:
            deaths.clear()
        deaths.append(now)
        if not self.ready and len(deaths) >= DEATHS_WHILE_STARTING:
            say(f"{program} keeps dying ({event['how']}). The end of {log}:\n{last_lines(log)}")
            self.failed = True
            self.stop()
        elif len(deaths) == 1:
            say(f"{program} died ({event['how']}) and is started again; its log: {log}")
        else:
            since = time.strftime("%H:%M:%S", time.localtime(deaths[0]))
            say(
                f"{program} died again ({event['how']}): {len(deaths)} times since {since}. "
                f"It is started again after a growing wait, a minute at most; its log: {log}"
            )


def main() -> int:
    try:
        # Reads the environment and creates the data folder, so this can fail too.
        from fer_site import settings
    except (OSError, ValueError) as error:
        print(f"Mien cannot start: {error}", file=sys.stderr)
        return 1
    site = Site(settings.HOST, settings.PORT, settings.DATA_DIR)
    site.handle_signals()
    try:
        check_path(settings.DATA_DIR)
        for name in ("run", "log", "redis"):
            private_folder(settings.DATA_DIR / name)
        if settings.REDIS_SOCKET:  # in a separate folder if the data folder's path is long
            private_folder(settings.REDIS_SOCKET.parent)
        with claim(settings.DATA_DIR):
            check_address(settings.HOST, settings.PORT)
            redis = choose_redis(settings.DATA_DIR / "redis") if settings.REDIS_SOCKET else ""
            env = os.environ | environment(
                settings.HOST, settings.PORT, settings.DATA_DIR, settings.REDIS_SOCKET, redis
            )
            say(f"Starting Mien; data and logs are in {settings.DATA_DIR}")
            prepare_site(env)
            status = site.run(env)
        if settings.REDIS_SOCKET:
            with contextlib.suppress(OSError):  # inside the data folder it is never empty
                settings.REDIS_SOCKET.parent.rmdir()
        return status
    except (CannotStart, OSError) as error:
        print(f"Mien cannot start: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
