"""Takes rights away from the process that reads what strangers send: network, files, programs.

Landlock (linux/landlock.h) leaves it the files it needs, seccomp (linux/seccomp.h) refuses system
calls it has no use for. Neither needs root, and both work in a container without capabilities. They
can't be undone, and threads and children inherit them. Where a host lacks one, the other still
holds, and `missing` says so.
"""

import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from .syscalls import ARCHITECTURES, seccomp_filter

_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446  # on all architectures
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SET_PDEATHSIG, _SET_NO_NEW_PRIVS = 1, 38  # linux/prctl.h
_SECCOMP_SET_FILTER, _SECCOMP_ACTION_AVAILABLE = 1, 2
_SPEC_ALLOW = 4  # the slower, speculation-proof mode would cost every decoder time
_RET_ERRNO = 0x00050000

_WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1 << 1, 1 << 2, 1 << 3, 1 << 14
# How many rights over files each version of Landlock knows; 4 added the network, 6 signals.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_ALL_FILE_RIGHTS = 16

Limits = dict[str, int]
"""Names of `resource`'s limits and their values."""


def missing() -> list[str]:
    """What this host can't do, as sentences; asks only."""
    if sys.platform != "linux":
        return [f"{platform.system()} has neither Landlock nor seccomp."]
    found = []
    if not _landlock_version():
        found.append("The kernel has no Landlock: they can read this account's files.")
    if not _has_seccomp():
        found.append("The kernel or the container refuses seccomp: they can use the network.")
    return found


def confine(
    limits: Limits,
    readable: Iterable[Path],
    writable: Iterable[Path] = (),
    *,
    processes: bool = False,
) -> None:
    """Limit this process for good: it can open only files in `readable`, and `writable` ones.

    Files in `writable` exist already; no others come to be. With `processes` it may start children.
    What the host can't do is left out, see `missing`.
    """
    limit(limits)
    if sys.platform != "linux":
        return
    writable = list(writable)
    _libc().prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _restrict_files(readable, writable)
    refuse_calls(processes=processes, writing=bool(writable))


def limit(limits: Limits) -> None:
    for name, value in limits.items():
        with suppress(ValueError, OSError):  # lower already, or macOS, which has no such limit
            resource.setrlimit(getattr(resource, name), (value, value))


def end_with_parent() -> None:
    """Have the kernel kill this process when the one that started it ends."""
    if sys.platform == "linux":
        _libc().prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def libraries() -> list[Path]:
    """Where Python and its packages are: modules may be loaded when they are first needed."""
    prefixes = {Path(sys.prefix), Path(sys.base_prefix), Path("/usr"), Path("/")}
    folders = [prefix / name for prefix in prefixes for name in ("lib", "lib64")]
    return [*folders, Path(__file__).parent]


def refuse_calls(*, processes: bool, writing: bool) -> None:
    """Install the filter of system calls; needs `confine` before it."""
    if not _has_seccomp():
        return
    program = seccomp_filter(platform.machine(), processes=processes, writing=writing)
    code = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: the number of steps, and where they are
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    if _call(_SECCOMP[platform.machine()], _SECCOMP_SET_FILTER, _SPEC_ALLOW, header):
        raise OSError(ctypes.get_errno(), "seccomp refused its filter")


def _restrict_files(readable: Iterable[Path], writable: Iterable[Path]) -> None:
    version = _landlock_version()
    if not version:
        return
    handled = (1 << _FILE_RIGHTS.get(version, _ALL_FILE_RIGHTS)) - 1
    # struct landlock_ruleset_attr: files, network (bind and connect), signals and sockets outside
    attributes = struct.pack("QQQ", handled, 3, 3)
    size = 8 if version < 4 else 16 if version < 6 else 24
    rules = _call(_LANDLOCK_CREATE, attributes, size, 0)
    if rules < 0:
        raise OSError(ctypes.get_errno(), "Landlock refused its rules")
    try:
        for path in readable:
            _allow(rules, path, _READ_FILE | _READ_DIR)
        for path in writable:
            _allow(rules, path, (_READ_FILE | _WRITE_FILE | _TRUNCATE) & handled)
        if _call(_LANDLOCK_RESTRICT, rules, 0):
            raise OSError(ctypes.get_errno(), "Landlock refused to begin")
    finally:
        os.close(rules)


def _allow(rules: int, path: Path, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # nothing there that could be read
    try:
        if not path.is_dir():
            rights &= ~_READ_DIR
        # struct landlock_path_beneath_attr, which is packed
        if _call(_LANDLOCK_ADD, rules, 1, struct.pack("=Qi", rights, place), 0):
            raise OSError(ctypes.get_errno(), f"Landlock refused a rule for {path}")
    finally:
        os.close(place)


def _landlock_version() -> int:
    """0 without Landlock: an old kernel, one that was started without it, or a container."""
    return max(0, _call(_LANDLOCK_CREATE, None, 0, 1))


def _has_seccomp() -> bool:
    number = _SECCOMP.get(platform.machine())
    if number is None or platform.machine() not in ARCHITECTURES or sys.maxsize < 2**32:
        return False
    return not _call(number, _SECCOMP_ACTION_AVAILABLE, 0, struct.pack("I", _RET_ERRNO))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(number: int, *arguments: int | bytes | None) -> int:
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return int(_libc().syscall(ctypes.c_long(number), *wide))
