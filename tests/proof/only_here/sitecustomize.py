"""Python loads this at its start, with this folder on PYTHONPATH: no other machine is reached.

Names and addresses beyond this machine fail as if there were no network, and are noted, one a line,
in the file that MIEN_PROOF_OUTSIDE names. Needs the standard library only.
"""

import errno
import ipaddress
import os
import socket

NOTES = os.environ.get("MIEN_PROOF_OUTSIDE", os.devnull)
HERE = {None, "", "localhost", b"localhost", socket.gethostname()}
look_up = socket.getaddrinfo


def is_here(host: object) -> bool:
    try:
        return host in HERE or ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


def note(host: object) -> None:
    with open(NOTES, "a", encoding="utf-8", errors="replace") as file:
        file.write(f"{host}\n")


def getaddrinfo(host, *about, **more):  # type: ignore[no-untyped-def]
    if is_here(host) or host in ("0.0.0.0", "::"):
        return look_up(host, *about, **more)
    note(host)
    raise socket.gaierror(socket.EAI_NONAME, "no network during a proof")


class Socket(socket.socket):
    """A socket that connects to this machine only."""

    def connect(self, address):  # type: ignore[no-untyped-def]
        self._stay(address)
        return super().connect(address)

    def connect_ex(self, address):  # type: ignore[no-untyped-def]
        self._stay(address)
        return super().connect_ex(address)

    def _stay(self, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0] if isinstance(address, tuple) else address
            if not is_here(host):
                note(host)
                raise OSError(errno.ENETUNREACH, "no network during a proof")


socket.getaddrinfo = getaddrinfo
socket.socket = Socket  # type: ignore[misc]
