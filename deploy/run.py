"""Runs all of Mien on this machine until it is told to stop: what `make run` starts.

supervisord (deploy/supervisord.conf) keeps the processes alive. This module prepares the data
folder, says in plain sentences what happens, passes a stop on, and leaves no process behind:
all of them are in supervisord's session, so whatever is left of that session is killed.
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
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 7.5  # for supervisord; a stop may take ten in all
SLOW_START_SECONDS = 30
DEATHS_WHILE_STARTING = 3
PR_SET_PDEATHSIG = 1  # from linux/prctl.h

EVENT = re.compile(r" (?P<what>exited|gave up): (?P<program>[\w-]+) (?:\((?P<how>[^;)]+))?")


class CannotStart(Exception):
    """Why Mien does not start, as a sentence for the person at the terminal."""


def say(text: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may be gone, and the stop must go on
        print(text, flush=True)


def check_path(path: Path) -> None:
    """Raise CannotStart for a path that supervisord's configuration could not carry."""
    if set(str(path)) & set('%"\\\n'):
        raise CannotStart(f'The path {path} has a %, " or \\ in it: choose another MIEN_DATA.')


def private_folder(path: Path) -> None:
    """Make a folder that only this account may enter, or raise CannotStart."""
    path.mkdir(mode=0o700, exist_ok=True)
    if path.stat().st_uid != os.geteuid() or path.is_symlink():  # anyone may make one in /tmp
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
                f"Mien already runs on the data folder {data_dir}. Stop that copy first, or give "
                "this one a folder and a port of its own: make run MIEN_DATA=var-2 PORT=8001"
            ) from None
        yield


def check_address(host: str, port: int) -> None:
    """Raise CannotStart unless a server could listen on `host` and `port` now."""
    if not 0 < port < 65536:
        raise CannotStart(f"PORT={port} is no port: it must be from 1 to 65535.")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reasons = {
            errno.EADDRINUSE: f"Port {port} of {host} is taken by another program. Stop that "
            f"one, or choose another port: make run PORT={port + 1}",
            errno.EACCES: f"This account may not use port {port}: choose one above 1023.",
        }
        unknown = f"HOST={host} is no address of this machine ({error.strerror})."
        raise CannotStart(reasons.get(error.errno or 0, unknown)) from None


def local_host(host: str) -> str:
    """Where a server that listens on `host` is reached from this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def site_address(host: str, port: int) -> str:
    host = local_host(host)
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def analysis_processes() -> int:
    """One a core that this process may use, at most four."""
    affinity = getattr(os, "sched_getaffinity", None)
    return min(4, len(affinity(0)) if affinity else os.cpu_count() or 1)


def environment(host: str, port: int, data_dir: Path, redis_socket: Path | None) -> dict[str, str]:
    """What all processes get beside this one's environment; supervisord.conf uses it too."""
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "HOST": host,
        "PORT": str(port),
        "MIEN_DATA": str(data_dir),
        "REDIS_EMBEDDED": "true" if redis_socket else "false",
        "REDIS_SOCKET": str(redis_socket or ""),
        "ANALYSIS_PROCESSES": str(analysis_processes()),
        "MALLOC_ARENA_MAX": "2",  # glibc would keep an arena a thread, tens of MB in all
        "PYTHONUNBUFFERED": "1",
    }


def prepare_site(env: dict[str, str]) -> None:
    """Migrate, collect the static files and register the shipped model."""
    command = [sys.executable, "-m", "deploy.prepare"]
    # In a session of its own, Ctrl-C does not reach it: it ends with a word of ours, not its own.
    # The database that it makes is closed to other accounts even where the data folder is not.
    done = subprocess.run(command, cwd=ROOT, env=env, umask=0o077, start_new_session=True)
    if done.returncode:
        raise CannotStart("The set-up of the data folder failed; the reason is above.")


def session_members(session: int) -> list[int]:
    """The living processes of a session; none where the system has no /proc."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            state, _, _, owner = stat.read_text().rpartition(") ")[2].split()[:4]
            if int(owner) == session and state != "Z":
                found.append(int(stat.parent.name))
    return found


def end_session(session: int) -> None:
    """End what is left of a session, politely for a second."""
    for signum, seconds in ((signal.SIGTERM, 1.0), (signal.SIGKILL, 1.0)):
        for pid in session_members(session):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signum)
        deadline = time.monotonic() + seconds
        while session_members(session) and time.monotonic() < deadline:
            time.sleep(0.05)


def stop_with_parent() -> None:
    """Have Linux stop supervisord when this process is killed and can do nothing anymore."""
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
        self.deaths: Counter[str] = Counter()
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
        # Explicitly, because a shell starts its background jobs with SIGINT ignored.
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, self.stop)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup
            signal.signal(signal.SIGHUP, self.stop)
        signal.signal(signal.SIGALRM, self.overdue)

    def run(self, env: dict[str, str]) -> int:
        """Run until a signal, or until a process cannot be kept alive; the exit status."""
        command = [sys.executable, "-m", "supervisor.supervisord"]
        command += ["-c", str(ROOT / "deploy" / "supervisord.conf")]
        if os.geteuid() == 0:
            command += ["-u", "root"]  # supervisord wants to hear that this is meant
        reader, writer = os.pipe()
        self.supervisor = subprocess.Popen(
            command,
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=subprocess.STDOUT,
            pass_fds=[reader],  # so that its last words have a reader when this process is killed
            start_new_session=True,
            preexec_fn=stop_with_parent,
        )
        os.close(writer)
        if self.stopping:  # the signal came while the process was being made
            self.supervisor.terminate()
        threading.Thread(target=self.announce, daemon=True).start()
        with open(reader, errors="replace") as lines:
            for line in lines:
                self.tell(line)
        self.supervisor.wait()
        signal.setitimer(signal.ITIMER_REAL, 0)
        end_session(self.supervisor.pid)
        if not self.stopping:
            say(f"supervisord ended by itself; the reason is in {self.log_dir}/supervisord.log")
        say("Mien has stopped.")
        return 1 if self.failed or not self.stopping else 0

    def announce(self) -> None:
        """Print the address as soon as the site answers there."""
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
        """Turn a line of supervisord's log into a sentence, where a person should hear of it."""
        if line.startswith("Error:"):
            say(line.rstrip())
        event = EVENT.search(line)
        if not event or self.stopping:
            return
        program = event["program"]
        log = self.log_dir / f"{program}.log"
        self.deaths[program] += 1
        if not self.ready and self.deaths[program] >= DEATHS_WHILE_STARTING:
            say(f"{program} keeps dying ({event['how']}). The end of {log}:\n{last_lines(log)}")
            self.failed = True
            self.stop()
        elif event["what"] == "gave up":
            say(f"{program} keeps dying and is not started again; see {log}, then restart Mien.")
        else:
            say(f"{program} died ({event['how']}) and is started again; its log: {log}")


def main() -> int:
    try:
        # Reads the environment and makes the data folder, so it can fail as this module can.
        from fer_site import settings
    except (OSError, ValueError) as error:
        print(f"Mien cannot start: {error}", file=sys.stderr)
        return 1
    site = Site(settings.HOST, settings.PORT, settings.DATA_DIR)
    site.handle_signals()
    env = os.environ | environment(
        settings.HOST, settings.PORT, settings.DATA_DIR, settings.REDIS_SOCKET
    )
    try:
        check_path(settings.DATA_DIR)
        for name in ("run", "log", "redis"):
            private_folder(settings.DATA_DIR / name)
        if settings.REDIS_SOCKET:  # in a folder of its own where the data folder's path is long
            private_folder(settings.REDIS_SOCKET.parent)
        with claim(settings.DATA_DIR):
            check_address(settings.HOST, settings.PORT)
            say(f"Starting Mien; data and logs are in {settings.DATA_DIR}")
            prepare_site(env)
            status = site.run(env)
        if settings.REDIS_SOCKET:
            with contextlib.suppress(OSError):  # the data folder's own is never empty
                settings.REDIS_SOCKET.parent.rmdir()
        return status
    except (CannotStart, OSError) as error:
        print(f"Mien cannot start: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
