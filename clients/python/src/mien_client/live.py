"""Streams a camera or a video file to a live session and prints one JSON line per frame.

Needs the extra `live`: websockets and OpenCV.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

from mien_client.client import MienError

IN_FLIGHT = 2  # the server works on one frame while the next one waits
LONGEST_SIDE = 960  # pixels; faces are found well at this size
REPLIES = {"frame.result", "frame.skipped", "frame.error"}
CLOSED = {
    4401: "This key may not open live sessions: it needs the scope analyze, or was revoked.",
    4429: "This person has too many live sessions open.",
    4503: "The server has no place for another live session now.",
}


def stream(
    server: str, key: str, source: str | int, *, rate: float = 10, **settings: Any
) -> Iterator[dict[str, Any]]:
    """The server's reply to each frame of a camera (its number) or of a video file (its path).

    A reply has the frame's `time` in seconds beside what the protocol says. `settings` are those
    of session.update. A file's frames are sent as fast as they are analyzed, `rate` for each second
    of the video. Raises MienError.
    """
    try:
        import cv2
        from websockets.exceptions import ConnectionClosed
        from websockets.sync.client import connect
    except ImportError as error:
        message = "Live needs more packages: pip install 'mien-client[live]'"
        raise MienError(message, "no_extra") from error

    address = server.rstrip("/").replace("http", "ws", 1) + "/ws/live/"
    times: dict[int, float] = {}
    try:
        with connect(
            address, additional_headers={"Authorization": f"Bearer {key}"}, compression=None
        ) as socket:
            _expect(json.loads(socket.recv(30)), "session.created")
            # A camera's frames that come too early are left out here, a file's are not.
            socket.send(json.dumps({"type": "session.update", "rate": 30, **settings}))
            for sequence, (moment, picture) in enumerate(_frames(cv2, source, rate), 1):
                while len(times) >= IN_FLIGHT:
                    yield from _reply(json.loads(socket.recv(60)), times)
                socket.send(sequence.to_bytes(4) + picture)
                times[sequence] = moment
            while times:
                yield from _reply(json.loads(socket.recv(60)), times)
            socket.send(json.dumps({"type": "session.close"}))
    except ConnectionClosed as error:
        code = error.rcvd.code if error.rcvd else 0
        message = CLOSED.get(code, f"The server ended the session ({code}).")
        raise MienError(message, "closed") from error
    except (OSError, TimeoutError) as error:
        raise MienError(f"{server} can't be reached: {error}.", "network") from error


def _expect(message: dict[str, Any], kind: str) -> None:
    if message.get("type") != kind:
        raise MienError(message.get("message", "The server speaks another protocol."), "not_mien")


def _reply(message: dict[str, Any], times: dict[int, float]) -> Iterator[dict[str, Any]]:
    if message["type"] in REPLIES and message.get("sequence") in times:
        yield {"time": round(times.pop(message["sequence"]), 3), **message}
    elif message["type"] == "session.error":
        raise MienError(message["message"], message["code"])


def _frames(cv2: Any, source: str | int, rate: float) -> Iterator[tuple[float, bytes]]:
    """Times in seconds, and JPEG pictures, at most `rate` a second."""
    video = cv2.VideoCapture(source)
    if not video.isOpened():
        raise MienError(f"{source!r} can't be opened as a camera or a video.", "no_video")
    is_camera, began, due = isinstance(source, int), time.monotonic(), 0.0
    try:
        while True:
            there, picture = video.read()
            if not there:
                return
            milliseconds = video.get(cv2.CAP_PROP_POS_MSEC)
            moment = time.monotonic() - began if is_camera else milliseconds / 1000
            if moment + 1e-6 < due:
                continue
            due = max(due + 1 / rate, moment)
            scale = min(1.0, LONGEST_SIDE / max(picture.shape[:2]))
            small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            yield moment, cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
    finally:
        video.release()
