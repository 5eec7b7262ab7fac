"""A PostgreSQL server of its own for tests: on a socket in its folder, or at an address."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psycopg


def programs() -> Path | None:
    """The folder of the newest installed server's programs; None if there is no server."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(found, key=lambda path: float(path.parts[4]), default=None)
    return newest.parent if newest else None


class PostgresServer:
    """A cluster with the database `mien`; without an address it only listens on its socket.

    `network` may connect without a password.
    """

    def __init__(self, address: str = "", port: int = 5432, network: str = ""):
        self.address, self.port = address, port
        found = programs()
        assert found, "there is no PostgreSQL"
        self.programs = found
        self.folder = Path(tempfile.mkdtemp(prefix="mien-postgres-"))
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root, and must get to its folder
            shutil.chown(self.folder, "postgres", "postgres")
        self._run("initdb", "-D", f"{self.folder}/data", "-A", "trust", "-U", "mien")
        if network:
            with open(f"{self.folder}/data/pg_hba.conf", "a") as rules:
                rules.write(f"host all all {network} trust\n")
        self.start()
        self._run("createdb", "-h", self.host, "-p", str(port), "-U", "mien", "mien")

    @property
    def host(self) -> str:
        return self.address or str(self.folder)

    @property
    def url(self) -> str:
        return f"postgres://mien@{quote(self.host, safe='')}:{self.port}/mien"

    def _run(self, program: str, *arguments: str) -> None:
        account = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
        command = [str(self.programs / program), *arguments]
        if os.geteuid() == 0:
            command = [*account, *command]
        subprocess.run(command, check=True, cwd="/", capture_output=True)

    def start(self) -> None:
        options = f"-c listen_addresses={self.address} -c port={self.port} "
        options += f"-c unix_socket_directories={self.folder} -c max_connections=200"
        log = f"{self.folder}/log"
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-l", log, "-w", "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "-w", "stop")

    def kill(self) -> None:
        """SIGKILL, as the kernel does it when memory runs out; `start` recovers."""
        pid = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while self._backends(pid) and time.monotonic() < deadline:
            time.sleep(0.05)

    def _backends(self, pid: int) -> bool:
        """Whether a process of this cluster is left: they end once their parent is gone."""
        words = str(self.folder).encode()
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if int(process.name) == pid and (process / "cmdline").read_bytes():
                    return True
                folder = os.readlink(process / "cwd").encode()
                if folder.startswith(words):
                    return True
        return False

    def rows(self, query: str) -> list[tuple]:
        about = f"host={self.host} port={self.port} user=mien dbname=mien"
        with psycopg.connect(about) as connection:
            return connection.execute(query).fetchall()

    def remove(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):  # it isn't running
            self.stop()
        shutil.rmtree(self.folder)
