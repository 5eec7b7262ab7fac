"""A PostgreSQL server of its own for tests: on a socket in its folder, or at an address."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

import psycopg

from tests.processes import Process, wait_until


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
        # Not in the site's own folder for temporary files, which is closed to other accounts.
        self.folder = Path(tempfile.mkdtemp(prefix="mien-postgres-", dir="/tmp"))
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

    def _command(self, program: str, *arguments: str) -> list[str]:
        account = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
        account += ["--pdeathsig", "TERM"]  # the change of account loses the parent's
        here = ["env", "--chdir", "/", str(self.programs / program), *arguments]
        return [*account, *here] if os.geteuid() == 0 else here

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(self._command(program, *arguments), check=True, capture_output=True)

    def start(self) -> None:
        options = [f"listen_addresses={self.address}", f"port={self.port}", "max_connections=200"]
        options.append(f"unix_socket_directories={self.folder}")
        command = self._command("postgres", "-D", f"{self.folder}/data")
        for option in options:
            command += ["-c", option]
        log = Path(f"{self.folder}/log")

        def answers() -> bool:
            if self.process.popen.poll() is not None:  # what was killed still holds its memory
                self.process = Process(command, log)
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(f"{self.about} dbname=postgres").close()
                return True
            return False

        self.process = Process(command, log)
        wait_until(answers, f"PostgreSQL, see {log}")

    def stop(self) -> None:
        """Stop at once and without a checkpoint, as if the power had failed."""
        self.process.popen.send_signal(signal.SIGQUIT)
        self.process.popen.wait(20)

    def kill(self) -> None:
        """SIGKILL, as the kernel does it when memory runs out; `start` recovers."""
        self.process.kill()

    @property
    def about(self) -> str:
        return f"host={self.host} port={self.port} user=mien"

    def rows(self, query: str) -> list[tuple]:
        with psycopg.connect(f"{self.about} dbname=mien") as connection:
            return connection.execute(query).fetchall()

    def remove(self) -> None:
        if self.process.popen.poll() is None:
            self.stop()
        shutil.rmtree(self.folder)
