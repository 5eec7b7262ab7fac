"""Sends frames to workers and their answers back to the right socket."""

import asyncio
import functools
import json
import logging
import time
import uuid
import weakref
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, NotRequired, TypedDict, cast

import numpy as np
import redis
import redis.asyncio
from django.conf import settings
from numpy.typing import NDArray

from recognition import decoding, networks
from recognition.engine import formats, media, pipeline
from recognition.engine.errors import MediaError
from recognition.engine.types import BoundingBox, Face
from recognition.live.session import Frame
from recognition.registry import registry

logger = logging.getLogger(__name__)

# Seconds after which an answer expires that nobody collects because its web process died.
FORGOTTEN_AFTER = 10
RECONNECT_SECONDS = 0.2
LISTEN_SECONDS = 5


class Job(TypedDict):
    """One frame's task; the picture is in Redis under `key`, the answer goes to `mailbox`."""

    key: str
    mailbox: str
    session: str
    sequence: int
    min_face: int
    hints: list[list[float]]
    mesh: NotRequired[bool]
    sent_at: float


class Answer(TypedDict):
    """A worker's answer for a frame; `error.bad` if the picture is at fault."""

    session: str
    sequence: int
    error: NotRequired[dict[str, Any]]
    width: NotRequired[int]
    height: NotRequired[int]
    model_version: NotRequired[int]
    faces: NotRequired[list[dict[str, Any]]]
    milliseconds: NotRequired[dict[str, float]]


class FrameLine:
    """One web process's connection to the workers; sockets register for their answers.

    Answers come through one Redis list per process. Losing Redis closes no socket: the line
    reconnects, and frames that were on the way run into the session's timeout.
    """

    def __init__(self) -> None:
        self.mailbox = f"mien:answers:{uuid.uuid4()}"
        # The list is read with blocking calls; the socket timeout must be longer than one.
        self.redis = redis.asyncio.Redis.from_url(
            settings.REDIS_URL, socket_timeout=LISTEN_SECONDS + 5, socket_connect_timeout=1
        )
        self._takers: dict[str, Callable[[Answer], None]] = {}
        self._listener: asyncio.Task[None] | None = None

    async def register(self, session: str, take: Callable[[Answer], None]) -> None:
        """Call `take` with each answer for this session from now on."""
        self._takers[session] = take
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen())

    async def unregister(self, session: str) -> None:
        """Stop delivering this session's answers; after the last session nobody listens."""
        self._takers.pop(session, None)
        if not self._takers and self._listener:
            self._listener.cancel()
            self._listener = None
            await self.redis.aclose()

    async def send(
        self,
        owner: int,
        session: str,
        frame: Frame,
        min_face: int,
        hints: Sequence[BoundingBox],
        mesh: bool,
        publish: Callable[[Job], object],
    ) -> bool:
        """Hand a frame to the workers; False if the person's limit for this second is reached.

        With `mesh` the answer has each face's points. `publish` sends the message of a job to the
        queue. Raises RedisError, OperationalError or OSError when Redis cannot be reached.
        """
        now = time.time()
        key = f"mien:frame:{session}:{frame.sequence}"
        counter = _counter(owner, now)
        async with self.redis.pipeline(transaction=True) as together:
            together.set(key, frame.picture, px=int(settings.FRAME_SECONDS * 1000))
            together.incr(counter)
            together.expire(counter, 2)
            _, frames, _ = await together.execute()
        if frames > settings.LIVE_FRAMES_PER_SECOND:
            await self.redis.delete(key)
            return False
        job: Job = {
            "key": key,
            "mailbox": self.mailbox,
            "session": session,
            "sequence": cast(int, frame.sequence),
            "min_face": min_face,
            "hints": [[round(side, 1) for side in asdict(box).values()] for box in hints],
            "mesh": mesh,
            "sent_at": now,
        }
        await asyncio.to_thread(publish, job)
        return True

    async def allows(self, owner: int) -> bool:
        """Count a frame that needs no worker; False if the person's limit is reached.

        Raises like send.
        """
        counter = _counter(owner, time.time())
        async with self.redis.pipeline(transaction=True) as together:
            together.incr(counter)
            together.expire(counter, 2)
            frames, _ = await together.execute()
        return bool(frames <= settings.LIVE_FRAMES_PER_SECOND)

    async def _listen(self) -> None:
        while True:
            try:
                found = await self.redis.blpop([self.mailbox], timeout=LISTEN_SECONDS)
            except (redis.RedisError, OSError) as error:
                logger.warning("Waiting for Redis: %s", error)
                await asyncio.sleep(RECONNECT_SECONDS)
                continue
            if found:
                answer: Answer = json.loads(found[1])
                if take := self._takers.get(answer["session"]):
                    take(answer)


def _counter(owner: int, now: float) -> str:
    """Where the frames are counted that a person sends in this second over all sockets."""
    return f"mien:frames-of:{owner}:{int(now)}"


_lines: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, FrameLine] = (
    weakref.WeakKeyDictionary()
)


def line() -> FrameLine:
    """The line of the running event loop; one per web process."""
    loop = asyncio.get_running_loop()
    if loop not in _lines:
        _lines[loop] = FrameLine()
    return _lines[loop]


# --- In the worker ----------------------------------------------------------------------------


def answer_frame(job: Job) -> None:
    """Analyze a frame and send the answer back; an expired frame is dropped."""
    picture = connection().getdel(job["key"])
    if picture is None:
        return
    answer: Answer = {"session": job["session"], "sequence": job["sequence"]}
    try:
        answer.update(examine(cast(bytes, picture), job))
    except MediaError as error:
        answer["error"] = {"code": error.code, "message": error.message, "bad": True}
    except Exception:
        logger.exception("A frame failed")
        message = "The worker failed on this frame. Send the next one."
        answer["error"] = {"code": "analysis_failed", "message": message, "bad": False}
    with connection().pipeline(transaction=True) as together:
        together.rpush(job["mailbox"], json.dumps(answer))
        together.expire(job["mailbox"], FORGOTTEN_AFTER)
        together.execute()


def examine(picture: bytes, job: Job) -> Any:
    """The faces of a frame and how long each step took, in milliseconds."""
    waited = max(0.0, time.time() - job["sent_at"])
    started = time.perf_counter()
    rgb = _pixels(picture, job["session"])
    decoded = time.perf_counter()
    version, classifier = registry.recent_classifier()
    hints = [BoundingBox(*sides) for sides in job["hints"]]
    detector = networks.frame_detector("fast").with_min_face(job["min_face"])
    result = pipeline.analyze_frame(rgb, detector, classifier, hints, networks.examiner("frame"))
    decode = (decoded - started) * 1000
    return {
        "width": result.width,
        "height": result.height,
        "model_version": version.number,
        "faces": [describe(face, job.get("mesh", False)) for face in result.faces],
        "milliseconds": {**result.milliseconds, "queue": waited * 1000, "decode": decode},
    }


def _pixels(picture: bytes, session: str) -> NDArray[np.uint8]:
    """The pixels of a frame.

    JPEGs as browsers write them are decoded here: a child would add a millisecond or two to each.
    All others are left to one, which sees the frames of this session only.
    """
    if formats.is_plain_jpeg(picture):
        return media.decode_frame(picture, settings.LIVE_FRAME_PIXELS)
    try:
        return decoding.decode_frame(picture, session)
    except MediaError as error:
        if error.code in decoding.DIED:  # the protocol has one code for all such damage
            raise media.broken_frame() from error
        raise


def describe(face: Face, mesh: bool) -> dict[str, Any]:
    detection, found = face.detection, face.findings
    drawn = found.mesh if mesh and found and found.measures else None
    return {
        "box": asdict(detection.box),
        "score": detection.score,
        "landmarks": asdict(detection.landmarks),
        "probabilities": face.prediction.probabilities,
        "measures": found and found.values,
        "covered": found and round(found.covered, 3),
        "mesh": None if drawn is None else drawn.points[:, :2].round(1).tolist(),
    }


@functools.cache
def connection() -> redis.Redis:
    """This worker's connection for frames."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=1)
