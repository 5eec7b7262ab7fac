"""What a confined process is refused, and what it keeps."""

import subprocess
import sys

import pytest

from recognition.engine import confinement
from recognition.engine.syscalls import seccomp_filter
from tests.processes import ROOT

pytestmark = pytest.mark.skipif(bool(confinement.missing()), reason="not on this host")

PREAMBLE = """
import os, socket, subprocess, sys, threading
from pathlib import Path
from recognition.engine import confinement

def tried(action):
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return "done"
"""


def confined(code: str, *arguments: object) -> list[str]:
    """What code prints in a process of its own."""
    command = [sys.executable, "-c", PREAMBLE + code, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_only_the_named_files_can_be_read(tmp_path):
    for name in ("own", "other"):
        (tmp_path / name).write_text("x")
    code = """
folder = Path(sys.argv[1])
confinement.confine({}, [folder / "own"])
print(tried(lambda: open(folder / "own").read()), tried(lambda: open(folder / "other").read()))
"""
    assert confined(code, tmp_path) == ["done", "PermissionError"]


def test_only_the_named_files_can_be_written_and_none_made(tmp_path):
    for name in ("own", "other"):
        (tmp_path / name).write_text("x")
    code = """
folder = Path(sys.argv[1])
confinement.confine({}, [], [folder / "own"])
for name in ("own", "other", "new"):
    print(tried(lambda: (folder / name).write_text("y")))
print(tried(lambda: (folder / "own").chmod(0o777)))
"""
    refused = "PermissionError"
    assert confined(code, tmp_path) == ["done", refused, refused, refused]
    assert (tmp_path / "own").read_text() == "y"


def test_threads_inherit_it_and_may_still_be_started():
    code = """
confinement.confine({}, confinement.libraries())
def inside():
    print(tried(socket.socket), tried(lambda: open("/etc/passwd")))
thread = threading.Thread(target=inside)
thread.start()
thread.join()
"""
    assert confined(code) == ["PermissionError", "PermissionError"]


def test_modules_can_still_be_imported():
    code = """
confinement.confine({}, confinement.libraries())
import sqlite3
import PIL.ImageFilter
print("done")
"""
    assert confined(code) == ["done"]


def test_children_only_if_they_are_allowed():
    fork = "lambda: os.fork() or os._exit(0)"
    for allowed, expected in ((True, "done"), (False, "PermissionError")):
        code = f"""
confinement.confine({{}}, confinement.libraries(), processes={allowed})
print(tried({fork}), tried(lambda: os.execv("/bin/true", ["true"])))
"""
        assert confined(code) == [expected, "PermissionError"]


def test_a_process_may_abort_itself():
    command = "confinement.confine({}, [])\nos.abort()"
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE + command], cwd=ROOT, capture_output=True, timeout=60
    )
    assert done.returncode == -6


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("writing", [True, False])
def test_filters_fit_and_end_with_a_verdict(machine, writing):
    steps = seccomp_filter(machine, processes=False, writing=writing)
    assert len(steps) % 8 == 0
    assert len(steps) // 8 < 4096  # BPF_MAXINSNS
    assert steps[-8:-6] == b"\x06\x00"


def test_the_filter_holds_without_landlock(tmp_path):
    code = """
confinement._landlock_version = lambda: 0
confinement.confine({}, [])
target = Path(sys.argv[1])
print(tried(lambda: target.write_text("y")), tried(lambda: os.rename(target, f"{target}2")))
print(tried(lambda: os.mkdir(f"{target}3")), tried(socket.socket), tried(lambda: open(target)))
"""
    (tmp_path / "file").write_text("x")
    assert confined(code, tmp_path / "file") == [*["PermissionError"] * 4, "done"]


def test_a_host_without_both_is_told(monkeypatch):
    monkeypatch.setattr(confinement, "_landlock_version", lambda: 0)
    monkeypatch.setattr(confinement, "_has_seccomp", lambda: False)
    assert len(confinement.missing()) == 2
    monkeypatch.setattr(sys, "platform", "darwin")
    assert len(confinement.missing()) == 1
