"""A process that decodes photos for another one: python -m recognition.engine.decoder

It never decodes anything itself: it forks a child for each person, which is confined and sees that
person's photos only. Its standard input is a socket, and so is what a child answers at. File and
pixels travel as descriptors of shared memory, everything else as a line of JSON.
"""

import gc
import json
import math
import os
import resource
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from . import confinement, media
from .errors import MediaError

Line = dict[str, Any]

IDLE_SECONDS = 60  # then a child ends, and after the last one this process
LONGEST_LINE = 4096  # bytes
TOO_LARGE = "photo_too_large"  # the code of a photo that needs more memory than is allowed


def main() -> int:
    """Fork children as asked, and tell how they ended; the argument is the memory limit in MB."""
    memory = int(sys.argv[1]) * 1024**2
    control = socket.socket(fileno=sys.stdin.fileno())
    Image.init()  # loads what would otherwise be loaded in each child
    confinement.confine(
        {"RLIMIT_AS": memory, "RLIMIT_FSIZE": memory, "RLIMIT_CORE": 0, "RLIMIT_NOFILE": 32},
        confinement.libraries(),
        processes=True,
    )
    gc.freeze()  # so that collecting copies no pages in the children
    children: dict[int, int | None] = {}  # how each ended; None: it runs
    while True:
        ready, _, _ = select.select([control], [], [], IDLE_SECONDS)
        if not ready:
            if not any(_status(pid, children) is None for pid in list(children)):
                return 0
            continue
        text, descriptors, *_ = socket.recv_fds(control, LONGEST_LINE, 1)
        if not text:
            return 0
        request = json.loads(text)
        if request["do"] == "fork":
            pid = os.fork()
            if pid == 0:
                _begin(control, descriptors[0])
            os.close(descriptors[0])
            children[pid] = None
            answer: Line = {"pid": pid}
        else:
            answer = {"status": _end(request["pid"], children)}
        control.sendall(json.dumps(answer).encode() + b"\n")


def _status(pid: int, children: dict[int, int | None]) -> int | None:
    if children[pid] is None:
        ended, status = os.waitpid(pid, os.WNOHANG)
        children[pid] = status if ended else None
    return children[pid]


def _end(pid: int, children: dict[int, int | None]) -> int:
    """Kill a child unless it ended by itself; how it did."""
    if _status(pid, children) is None:
        os.kill(pid, signal.SIGKILL)
        children[pid] = os.waitpid(pid, 0)[1]
    status = children.pop(pid)
    assert status is not None
    return status


def _begin(control: socket.socket, descriptor: int) -> None:
    """In a child: answer until the other side is gone, and end."""
    status = 1
    try:
        confinement.end_with_parent()
        control.close()
        confinement.refuse_calls(processes=False, writing=False)
        # Kept open to the end: who waits at its other side then asks how this process ended.
        connection = socket.socket(fileno=descriptor)
        serve(connection)
        status = 0
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(status)


def serve(connection: socket.socket) -> None:
    connection.settimeout(IDLE_SECONDS)
    while True:
        try:
            text, descriptors, *_ = socket.recv_fds(connection, LONGEST_LINE, 2)
        except TimeoutError:
            return
        if not text:
            return
        try:
            answer = _answer(json.loads(text), *descriptors)
        except MediaError as error:
            answer = {"error": {"code": error.code, "message": error.message}}
        except MemoryError:  # what is left of it may be too little for the next photo
            message = "Decoding this photo takes more memory than is allowed. Save it smaller."
            _send(connection, {"error": {"code": TOO_LARGE, "message": message}})
            return
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        _send(connection, answer)


def _send(connection: socket.socket, answer: Line) -> None:
    connection.sendall(json.dumps(answer).encode() + b"\n")


def _answer(request: Line, source: int, target: int) -> Line:
    _limit_time(request["seconds"])
    data = os.pread(source, os.fstat(source).st_size, 0)
    actions: dict[str, Callable[..., tuple[NDArray[np.uint8] | None, Line]]]
    actions = {"photo": _photo, "frame": _frame, "header": _header}
    rgb, answer = actions[request["do"]](data, **request["options"])
    if rgb is not None:
        answer |= {"shape": rgb.shape, "bytes": rgb.nbytes}
        _write(rgb, target)
    return answer


def _photo(data: bytes, **options: Any) -> tuple[NDArray[np.uint8], Line]:
    rgb, header = media.decode_photo(data, **options)
    return rgb, {"header": asdict(header)}


def _frame(data: bytes, max_pixels: int) -> tuple[NDArray[np.uint8], Line]:
    return media.decode_frame(data, max_pixels), {}


def _header(data: bytes, **options: Any) -> tuple[None, Line]:
    return None, {"header": asdict(media.inspect_photo(data, **options))}


def _limit_time(seconds: int) -> None:
    """Processor time that this child may take from now on; then SIGXCPU ends it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime) + seconds
    with suppress(ValueError, OSError):  # a lower limit holds already
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _write(rgb: NDArray[np.uint8], target: int) -> None:
    rest = np.ascontiguousarray(rgb).data.cast("B")
    place = 0
    while place < len(rest):
        place += os.pwrite(target, rest[place:], place)


if __name__ == "__main__":
    sys.exit(main())
