"""Talks to the process that reads videos (recognition.engine.reader), one for each thread."""

import json
import logging
import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from typing import Any

from django.conf import settings

from recognition.engine.errors import MediaError
from recognition.jobs import lease
from recognition.models import Job

logger = logging.getLogger(__name__)

HEARTBEAT = 0.5  # seconds of silence after which the caller gets a chance to stop
NICENESS = 10  # photos and pages come first
CHECK_EVERY = 0.7  # seconds after which a worker notices that its job was canceled
MOST_REQUESTS = 200  # then a fresh process takes over, in case memory leaks

# glibc's: frames come from one heap that keeps its size, instead of growing with the length of a
# video in each of many.
HEAP = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 * 1024**2),
    "MALLOC_TRIM_THRESHOLD_": str(128 * 1024**2),
}

Line = dict[str, Any]


class ReaderDied(Exception):
    """The process ended or fell silent in the middle of an answer."""


class Unwanted(Exception):
    """The job was canceled, or given to another worker."""


class Reader:
    """A child process that answers one request after the other."""

    def __init__(self) -> None:
        limits = (settings.VIDEO_MEMORY_BYTES, 2 * settings.MAX_VIDEO_BYTES)
        command = [sys.executable, "-m", "recognition.engine.reader"]
        self.requests, self.busy = 0, False
        self._process = subprocess.Popen(
            [*command, *(str(limit // 1024**2) for limit in limits)],
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            # No more of the environment than it needs: its input comes from strangers.
            env={
                **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
                "OMP_NUM_THREADS": "1",
                **HEAP,
                "MIEN_NICENESS": str(NICENESS),
            },
        )

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, do: str, **options: Any) -> Generator[Line | None]:
        """The lines of the answer; None from time to time while there is none.

        Raises MediaError if the video is at fault, ReaderDied. A caller that stops before the end
        must call `kill`.
        """
        self.requests += 1
        number = self.requests
        message = json.dumps({"do": do, "number": number, **options}) + "\n"
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(message.encode())
        except BrokenPipeError as error:
            raise ReaderDied("It ended before it was asked.") from error
        for line in self._lines():
            if line is None:
                yield None
            elif line.pop("to") != number:  # nobody listened to the end of another answer
                raise ReaderDied("It was busy with another request.")
            elif "error" in line:
                raise MediaError(line["error"]["code"], line["error"]["message"])
            elif line.get("done"):
                return
            else:
                yield line

    def _lines(self) -> Generator[Line | None]:
        output = self._process.stdout
        assert output is not None
        pending, heard_at = b"", time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while True:
                if not selector.select(HEARTBEAT):
                    if time.monotonic() - heard_at > settings.VIDEO_SILENCE_SECONDS:
                        raise ReaderDied("It was silent for too long.")
                    yield None
                    continue
                piece = os.read(output.fileno(), 2**16)
                if not piece:
                    raise ReaderDied(f"It ended with {self._process.wait()}.")
                heard_at = time.monotonic()
                *lines, pending = (pending + piece).split(b"\n")
                for line in lines:
                    yield json.loads(line)

    def kill(self) -> None:
        self.busy = True  # not to be asked again
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()


_own = threading.local()


def ask(do: str, **options: Any) -> Generator[Line | None]:
    """An answer of this thread's reader, which is replaced whenever something went wrong."""
    reader: Reader | None = getattr(_own, "reader", None)
    # Busy: nobody listened to the end of another answer.
    if reader and (reader.busy or not reader.is_alive or reader.requests >= MOST_REQUESTS):
        reader.kill()
        reader = None
    _own.reader = reader = reader or Reader()
    reader.busy = True
    try:
        yield from reader.ask(do, **options)
        reader.busy = False
    except MediaError:
        reader.busy = False
        raise
    finally:
        if reader.busy:
            reader.kill()


def while_wanted(job: Job, lines: Iterable[Line | None]) -> Iterator[Line | None]:
    """The lines while this worker holds the job. Raises Unwanted."""
    looked_at = time.monotonic()
    for line in lines:
        if time.monotonic() - looked_at > CHECK_EVERY:
            looked_at = time.monotonic()
            if not lease.owned(job).exists():
                raise Unwanted
        yield line
