"""Has photos decoded by confined children (recognition.engine.decoder), for every journey.

Each thread that needs some starts one helper, which forks a child for each person. They end when
nothing was asked of them for a minute.
"""

import fcntl
import json
import logging
import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from recognition.engine import decoder, formats, media
from recognition.engine.errors import MediaError
from recognition.engine.types import PhotoHeader

logger = logging.getLogger(__name__)

COMMAND = [sys.executable, "-m", "recognition.engine.decoder"]
MOST_CHILDREN = 4  # at once; each has the photos of another person
PATIENCE = 30  # seconds in which the helper must answer, with its start on a busy machine
LONGEST_ANSWER = 65536  # bytes
KEPT_BYTES = 48 * 1024**2  # of shared memory that waits for the next photo

# glibc's: pixels come from one heap that keeps its size, because new memory costs time.
HEAP = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 * 1024**2),
    "MALLOC_TRIM_THRESHOLD_": str(64 * 1024**2),
}

# No person can be waited for longer than the limit of one photo; decoding may take half of that.
SHARE_OF_TIME = 0.5

DIED = ("decoder_crashed", "decoding_timed_out", decoder.TOO_LARGE)
"""Codes of photos and frames that were too much for their decoder."""


def _crashed() -> MediaError:
    return MediaError(
        "decoder_crashed",
        "The program that decodes photos crashed on this one. The file may be damaged: save it "
        "again.",
    )


def _timed_out() -> MediaError:
    return MediaError(
        "decoding_timed_out", "Decoding this photo took too long. Save it smaller, or as a JPEG."
    )


class DecoderLost(Exception):
    """The child was killed from outside, or the helper is gone: the photo may be fine."""


class _Ended(Exception):
    """There is nobody at the other end."""


def inspect_photo(content: bytes, whose: object) -> PhotoHeader:
    """The header of an upload, as media.inspect_photo gives it with the site's limits.

    Formats whose headers only Python reads are read here, the others in a child. Raises MediaError
    like media.inspect_photo, and for `decoder_crashed`, `decoding_timed_out`, `photo_too_large`.
    """
    options = {"max_pixels": settings.MAX_PIXELS, "max_jpeg_pixels": settings.MAX_JPEG_PIXELS}
    if not formats.needs_decoder(content):
        return media.inspect_photo(content, **options)
    answer, _pixels = _ask(whose, "header", content, options)
    return _header(answer)


def decode_photo(
    content: bytes,
    whose: object,
    *,
    min_side: int | None = None,
    max_jpeg_pixels: int | None = None,
    only: Sequence[str] = formats.FORMATS,
) -> tuple[NDArray[np.uint8], PhotoHeader]:
    """The upright photo and its header, as media.decode_photo gives them.

    The array is read-only, and good until this thread decodes this person's next photo.
    `whose` names the person; no child sees the photos of two. Raises MediaError like inspect_photo,
    DecoderLost.
    """
    options = {
        "min_side": min_side,
        "max_pixels": settings.MAX_PIXELS,
        "max_jpeg_pixels": max_jpeg_pixels or settings.MAX_JPEG_PIXELS,
        "formats": list(only),
    }
    answer, pixels = _ask(whose, "photo", content, options)
    return _shaped(answer, pixels), _header(answer)


def decode_frame(content: bytes, whose: object) -> NDArray[np.uint8]:
    """The pixels of a webcam frame, as media.decode_frame gives them.

    The array is as in decode_photo. Raises MediaError like it and like decode_photo, DecoderLost.
    """
    options = {"max_pixels": settings.LIVE_FRAME_PIXELS}
    return _shaped(*_ask(whose, "frame", content, options))


def _ask(
    whose: object, do: str, content: bytes, options: dict[str, Any]
) -> tuple[dict[str, Any], NDArray[np.uint8]]:
    """A child's answer and what it wrote. Raises MediaError, DecoderLost."""
    try:
        answer, pixels = _helper().ask(str(whose), do, content, options)
    except _Ended:  # it had nothing to do for a while
        try:
            answer, pixels = _helper().ask(str(whose), do, content, options)
        except _Ended as error:
            raise DecoderLost("The process that decodes photos ends at once.") from error
    if trouble := answer.get("error"):
        if not isinstance(trouble, dict):
            raise _crashed()
        raise MediaError(str(trouble.get("code"))[:50], str(trouble.get("message"))[:500])
    return answer, pixels


def _header(answer: dict[str, Any]) -> PhotoHeader:
    """What a child says about a photo; whoever got hold of the child may say anything."""
    try:
        header = PhotoHeader(**answer["header"])
    except (KeyError, TypeError) as error:
        raise _crashed() from error
    sizes = (header.width, header.height, header.pages)
    if header.format not in formats.FORMATS or not all(type(n) is int and n > 0 for n in sizes):
        raise _crashed()
    return header


def _shaped(answer: dict[str, Any], pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    match answer.get("shape"):
        case [int(height), int(width), 3] if height > 0 and height * width * 3 == len(pixels):
            pass
        case _:
            raise _crashed()
    return pixels.reshape(height, width, 3)


class _Child:
    """The connection to a child, and the shared memory that it writes pixels to."""

    def __init__(self, pid: int, connection: socket.socket) -> None:
        self.pid, self.connection = pid, connection
        self.target = _shared_memory()
        self._mapped: mmap.mmap | None = None

    def pixels(self, size: int) -> NDArray[np.uint8]:
        """What it wrote; good until it is asked again. Raises MediaError if that isn't so much."""
        if sys.platform == "linux":
            # Or a child in wrong hands could take away the memory that is being read.
            fcntl.fcntl(self.target, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        if os.fstat(self.target).st_size < size:
            raise _crashed()
        if self._mapped is None or len(self._mapped) < size:
            flags = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)
            self._mapped = mmap.mmap(self.target, size, flags, mmap.PROT_READ)
        pixels = np.frombuffer(self._mapped, np.uint8, size)
        if size > KEPT_BYTES:
            os.close(self.target)
            self.target, self._mapped = _shared_memory(), None
        return pixels

    def close(self) -> None:
        self.connection.close()
        os.close(self.target)


class Helper:
    """The process that forks children, and their connections by person."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.control = ours
        self.control.settimeout(PATIENCE)
        self._children: OrderedDict[str, _Child] = OrderedDict()
        with theirs:
            self._process = subprocess.Popen(
                [*COMMAND, str(settings.PHOTO_MEMORY_BYTES // 1024**2)],
                cwd=settings.BASE_DIR,
                stdin=theirs.fileno(),
                process_group=0,
                # No more of the environment than it needs: its input comes from strangers.
                env={
                    **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
                    "OMP_NUM_THREADS": "1",
                    **HEAP,
                },
            )

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(
        self, whose: str, do: str, content: bytes, options: dict[str, Any]
    ) -> tuple[dict[str, Any], NDArray[np.uint8]]:
        """An answer of this person's child. Raises MediaError, DecoderLost, _Ended."""
        child = self._child(whose)
        share = settings.ANALYSIS_SECONDS * SHARE_OF_TIME
        seconds = settings.FRAME_SECONDS if do == "frame" else max(1, round(share))
        line = json.dumps({"do": do, "seconds": seconds, "options": options}).encode()
        source = _shared_memory()
        try:
            _fill(source, content)
            child.connection.settimeout(seconds * 1.25)
            socket.send_fds(child.connection, [line], [source, child.target])
            answer = _receive(child.connection)
        except TimeoutError:
            self._drop(whose)
            raise _timed_out() from None
        except (_Ended, OSError):
            raise self._reason(whose) from None
        except ValueError:  # no JSON
            self._drop(whose)
            raise _crashed() from None
        finally:
            os.close(source)
        size = answer.get("bytes", 0)
        if type(size) is not int or size < 0:
            raise _crashed()
        return answer, child.pixels(size) if size else np.empty(0, np.uint8)

    def _child(self, whose: str) -> "_Child":
        if whose not in self._children:
            while len(self._children) >= MOST_CHILDREN:
                self._drop(next(iter(self._children)))
            ours, theirs = socket.socketpair()
            with theirs:
                try:
                    socket.send_fds(self.control, [b'{"do":"fork"}'], [theirs.fileno()])
                    pid = _receive(self.control)["pid"]
                except (_Ended, OSError) as error:
                    self.close()  # a late answer would be taken for that to the next question
                    raise _Ended from error
            self._children[whose] = _Child(pid, ours)
        self._children.move_to_end(whose)
        return self._children[whose]

    def _drop(self, whose: str) -> int:
        """End a child; how it ended. Raises _Ended if the helper isn't there."""
        child = self._children.pop(whose)
        child.close()
        try:
            self.control.sendall(json.dumps({"do": "end", "pid": child.pid}).encode())
            return int(_receive(self.control)["status"])
        except (_Ended, OSError) as error:
            self.close()
            raise _Ended from error

    def _reason(self, whose: str) -> Exception:
        """Why a child is gone."""
        try:
            status = self._drop(whose)
        except _Ended as ended:
            return ended
        if status == 0:
            return _Ended()
        if not os.WIFSIGNALED(status):
            logger.error("A decoder ended with %d", os.waitstatus_to_exitcode(status))
            return _crashed()
        if os.WTERMSIG(status) == signal.SIGXCPU:
            return _timed_out()
        if os.WTERMSIG(status) == signal.SIGKILL:
            return DecoderLost("A decoder was killed: the machine may have run out of memory.")
        logger.warning("A decoder died of %s", signal.Signals(os.WTERMSIG(status)).name)
        return _crashed()

    def close(self) -> None:
        self.control.close()
        while self._children:
            self._children.popitem()[1].close()
        if self.is_alive:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _receive(connection: socket.socket) -> dict[str, Any]:
    """A line of JSON. Raises _Ended, TimeoutError, OSError, ValueError."""
    text = b""
    while not text.endswith(b"\n"):
        piece = connection.recv(LONGEST_ANSWER)
        if not piece:
            raise _Ended
        text += piece
        if len(text) > LONGEST_ANSWER:
            raise ValueError("The answer is too long.")
    answer = json.loads(text)
    if not isinstance(answer, dict):
        raise ValueError("The answer is no object.")
    return answer


def _shared_memory() -> int:
    """A descriptor of an empty file without a name."""
    if sys.platform == "linux":
        return os.memfd_create("mien-photo", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _fill(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


_own = threading.local()


def _helper() -> Helper:
    """This thread's helper, or a new one after the last has ended."""
    helper: Helper | None = getattr(_own, "helper", None)
    if helper and not helper.is_alive:
        helper.close()
        helper = None
    _own.helper = helper = helper or Helper()
    return helper


def _forget() -> None:
    """In a forked worker: the helper belongs to its parent."""
    global _own
    _own = threading.local()


os.register_at_fork(after_in_child=_forget)
