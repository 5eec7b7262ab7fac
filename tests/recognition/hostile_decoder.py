"""`python -m tests.recognition.hostile_decoder`: the decoder, but photos say what happens in it.

What a photo's bytes end with stands for code that somebody got to run there with a made-up file.
Other photos are decoded.
"""

import ctypes
import os
import signal
import socket
import sys
import time
from pathlib import Path

import numpy as np

from recognition.engine import decoder, media
from recognition.engine.errors import MediaError
from recognition.engine.types import PhotoHeader

SEEN = []
MARK = b"\0hostile:"
really = media.decode_photo


def attempt(action) -> None:
    """Say how trying something ended."""
    try:
        action()
    except OSError as error:
        raise MediaError("refused", type(error).__name__) from error
    raise MediaError("allowed", "It worked.")


def fork() -> None:
    if os.fork() == 0:
        os._exit(0)


ATTEMPTS = {
    b"socket": lambda: socket.socket(socket.AF_INET),
    b"unix socket": lambda: socket.socket(socket.AF_UNIX),
    b"read": lambda: Path("/etc/hostname").read_bytes(),
    b"read settings": lambda: Path("fer_site/settings.py").read_bytes(),
    b"write": lambda: Path("/tmp/mien-was-here").write_bytes(b""),
    b"delete": lambda: os.unlink(os.environ.get("VICTIM", "/tmp/mien-was-here")),
    b"fork": fork,
    b"execute": lambda: os.execv("/bin/true", ["true"]),
    b"signal": lambda: os.kill(os.getppid(), signal.SIGKILL),
    b"other process": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
    b"memory": lambda: os.memfd_create("x"),
}


def photo(data: bytes, **options):
    SEEN.append(data)
    word = data.partition(MARK)[2]
    if word in ATTEMPTS:
        attempt(ATTEMPTS[word])
    match word:
        case b"crash":
            ctypes.string_at(0)
        case b"loop":
            while True:
                pass
        case b"sleep":
            time.sleep(600)
        case b"killed":
            signal.raise_signal(signal.SIGKILL)
        case b"allocate":
            np.ones(2**30, np.float64)
        case b"exit":
            os._exit(0)
        case b"liar":
            return np.zeros((20, 20, 3), np.uint8), PhotoHeader("EXE", -1, 20, False)
        case b"seen":
            raise MediaError("seen", str(len(SEEN)))
        case b"good":
            return np.full((20, 30, 3), 7, np.uint8), PhotoHeader("PNG", 30, 20, False)
    return really(data, **options)


media.decode_photo = photo
sys.exit(decoder.main())
