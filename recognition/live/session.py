"""One live session: newest frame wins, one in flight, one reply per frame, in order."""

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.conf import settings

from recognition import metrics
from recognition.engine.emotions import EMOTIONS
from recognition.engine.examiner import Findings
from recognition.engine.follower import Follower
from recognition.engine.measures import Measures, hints_of
from recognition.engine.tracker import Tracker
from recognition.engine.types import (
    BoundingBox,
    Detection,
    Face,
    Landmarks,
    Prediction,
    TrackedFace,
)

PROTOCOL = 1
FORMATS = ["image/jpeg", "image/webp"]
RANGES = {"rate": (1, 30), "min_face": (24, 400), "smoothing": (0, 5)}
SWITCHES = ("keep", "mesh")
BAD_FRAMES_IN_A_ROW = 5
SEQUENCE_BYTES = 4
# Frames may arrive unevenly: this many at once are not yet too fast.
BURST = 2.0
# A message with more faces than this counts as more than one frame.
FACES_OF_ONE_FRAME = 16
# The limit of unread replies for a client that sends frames.
MOST_REPLIES = 1000


class SettingError(ValueError):
    """An unknown setting, or one out of range; the text says which and why."""


@dataclass(frozen=True)
class LiveSettings:
    """What a client may change: frames per second, pixels, seconds, whether to record or draw."""

    rate: float = 30
    min_face: int = 60
    smoothing: float = 0.3
    keep: bool = False
    mesh: bool = False

    def changed(self, values: Mapping[str, Any]) -> "LiveSettings":
        """A copy with `values` changed. Raises SettingError if one is invalid."""
        for name, value in values.items():
            if name in SWITCHES:
                if not isinstance(value, bool):
                    raise SettingError(f"{name} must be true or false.")
            elif name not in RANGES:
                known = ", ".join([*RANGES, *SWITCHES])
                raise SettingError(f"There is no setting {name!r:.40}; there are {known}.")
            else:
                low, high = RANGES[name]
                number = isinstance(value, (int, float)) and not isinstance(value, bool)
                if not number or not low <= value <= high:
                    raise SettingError(f"{name} must be a number from {low} to {high}.")
        return replace(self, **values)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Frame:
    """A client's frame until its reply is sent. Times are monotonic seconds."""

    sequence: int | None
    received_at: float
    picture: bytes = b""
    sent_at: float | None = None
    reply: dict[str, Any] | None = None


class LiveSession:
    """The state of one socket, without I/O; times are monotonic."""

    def __init__(self, now: float) -> None:
        self.settings = LiveSettings()
        self.tracker = Tracker(self.settings.smoothing)
        self._follower = Follower(self.tracker)
        self.started_at = self.last_frame_at = now
        self.counts = {"received": 0, "analyzed": 0, "skipped": 0, "failed": 0}
        self.bad_in_a_row = 0
        self._frames: deque[Frame] = deque()
        self._in_flight: Frame | None = None
        self._waiting: Frame | None = None
        self._last_sequence = -1
        self._allowance, self._allowance_at = BURST, now

    @property
    def is_spoiled(self) -> bool:
        """Whether too many bad frames arrived in a row."""
        return self.bad_in_a_row >= BAD_FRAMES_IN_A_ROW

    @property
    def is_unread(self) -> bool:
        """Whether the client sends frames but doesn't read replies."""
        return len(self._frames) > MOST_REPLIES

    @property
    def is_done(self) -> bool:
        """Whether every frame has been answered."""
        return not self._frames

    def update(self, values: Mapping[str, Any]) -> None:
        """Change settings. Raises SettingError, and changes nothing, if one is invalid."""
        self.settings = self.settings.changed(values)
        self.tracker.smoothing = self.settings.smoothing

    def receive(self, message: bytes, now: float) -> None:
        """Take a binary message: the frame waits, or is answered at once if it is refused."""
        frame = self._begin(None, now)
        if len(message) >= SEQUENCE_BYTES:
            frame.sequence = int.from_bytes(message[:SEQUENCE_BYTES])
        if frame.sequence is None or frame.sequence <= self._last_sequence:
            explanation = "A frame starts with a 4-byte increasing sequence number."
            self._fail(frame, "bad_sequence", explanation, bad=True)
            return
        self._last_sequence = frame.sequence
        frame.picture = message[SEQUENCE_BYTES:]
        if not frame.picture:
            self._fail(frame, "empty_frame", "No picture follows the sequence number.", bad=True)
        elif not self._may_take(now):
            self._skip(frame, "too_fast")
        else:
            if self._waiting:
                self._skip(self._waiting, "newer_frame")
            self._waiting = frame

    def start_next(self, now: float) -> Frame | None:
        """The frame to send to a worker now, if one waits and none is in flight."""
        if self._in_flight or not self._waiting:
            return None
        self._in_flight, self._waiting = self._waiting, None
        self._in_flight.sent_at = now
        return self._in_flight

    def hints(self, now: float) -> list[BoundingBox]:
        """The boxes of faces to follow, or none if the whole frame should be searched."""
        return self._follower.hints(now)

    def min_face(self, now: float) -> int:
        """The smallest face to look for in the next frame, in pixels."""
        return self._follower.min_face(now, self.settings.min_face)

    def finish(self, answer: Mapping[str, Any], now: float) -> list[TrackedFace] | None:
        """Take a worker's answer; returns the faces, or None if it failed or came too late."""
        frame = self._in_flight
        if frame is None or frame.sequence != answer["sequence"]:
            return None
        if error := answer.get("error"):
            self.give_up(error["code"], error["message"], bad=error["bad"])
            return None
        metrics.observe_frame(now - frame.received_at)
        self._land(frame)
        return self._answer(frame, answer, now)

    def take_faces(self, answer: Mapping[str, Any], now: float) -> list[TrackedFace] | None:
        """Take what a client read itself, in the form of a worker's answer.

        Returns the faces, or None if they came too soon after the ones before.
        """
        frame = self._begin(answer["sequence"], now)
        if answer["sequence"] <= self._last_sequence:
            explanation = "The sequence numbers of frames and faces must grow."
            self._fail(frame, "bad_sequence", explanation, bad=True)
            return None
        self._last_sequence = answer["sequence"]
        # Following many faces takes the web process long, and sending them costs a client nothing.
        if not self._may_take(now, cost=max(1.0, len(answer["faces"]) / FACES_OF_ONE_FRAME)):
            self._skip(frame, "too_fast")
            return None
        return self._answer(frame, answer, now)

    def refuse_faces(
        self, sequence: int | None, code: str, message: str, now: float, *, bad: bool = True
    ) -> None:
        """Answer faces that a client sent with an error; `bad` if it is at fault."""
        self._fail(self._begin(sequence, now), code, message, bad=bad)

    def hold_back_faces(self, sequence: int, now: float) -> None:
        """Skip faces that a client sent: this person sends too many over all sockets."""
        self._skip(self._begin(sequence, now), "too_fast")

    def _begin(self, sequence: int | None, now: float) -> Frame:
        """A frame that has just come and will be answered."""
        self.last_frame_at = now
        self.counts["received"] += 1
        frame = Frame(sequence, now)
        self._frames.append(frame)
        return frame

    def _answer(self, frame: Frame, answer: Mapping[str, Any], now: float) -> list[TrackedFace]:
        """Reply to a frame with its faces; returns them."""
        tracked = self.tracker.update(
            [face_of(face) for face in answer["faces"]], frame.received_at
        )
        milliseconds = {**answer["milliseconds"], "total": (now - frame.received_at) * 1000}
        frame.reply = {
            "type": "frame.result",
            "sequence": frame.sequence,
            "width": answer["width"],
            "height": answer["height"],
            "model_version": answer["model_version"],
            "faces": [
                {**describe(face), "mesh": found.get("mesh")}
                for face, found in zip(tracked, answer["faces"], strict=True)
            ],
            "milliseconds": {name: round(value, 1) for name, value in milliseconds.items()},
        }
        self.counts["analyzed"] += 1
        self.bad_in_a_row = 0
        return tracked

    def give_up(self, code: str, message: str, *, bad: bool = False) -> None:
        """Answer the frame in flight with an error; `bad` if the client is at fault."""
        if frame := self._in_flight:
            self._fail(frame, code, message, bad=bad)
            self._land(frame)

    def hold_back(self) -> None:
        """Skip the frame in flight: this person sends too many over all sockets."""
        if frame := self._in_flight:
            self._skip(frame, "too_fast")
            self._land(frame)

    def expire(self, now: float, seconds: float) -> None:
        """Give up the frame in flight if its worker has been silent for too long."""
        frame = self._in_flight
        if frame and frame.sent_at is not None and now - frame.sent_at > seconds:
            message = "No worker answered in time. Send the next frame."
            self.give_up("timeout", message)

    def drop_waiting(self) -> None:
        """Skip the waiting frame at the end of the session."""
        if self._waiting:
            self._skip(self._waiting, "newer_frame")
            self._waiting = None

    def take_replies(self) -> list[dict[str, Any]]:
        """The replies that can be sent now, in the order of their frames."""
        replies = []
        while self._frames and (reply := self._frames[0].reply):
            replies.append(reply)
            self._frames.popleft()
        return replies

    def summary(self, now: float) -> dict[str, Any]:
        """The content of `session.closed`, without the address of a kept session."""
        return {
            "type": "session.closed",
            "seconds": round(now - self.started_at, 1),
            "frames": dict(self.counts),
            "tracks": self.tracker.count,
        }

    def _may_take(self, now: float, cost: float = 1.0) -> bool:
        """A token bucket: `rate` frames a second with small bursts."""
        rate = self.settings.rate
        self._allowance = min(BURST, self._allowance + (now - self._allowance_at) * rate)
        self._allowance_at = now
        if self._allowance < cost:
            return False
        self._allowance -= cost
        return True

    def _land(self, frame: Frame) -> None:
        self._in_flight = None
        frame.picture = b""

    def _skip(self, frame: Frame, reason: str) -> None:
        self.counts["skipped"] += 1
        frame.picture = b""
        frame.reply = {"type": "frame.skipped", "sequence": frame.sequence, "reason": reason}

    def _fail(self, frame: Frame, code: str, message: str, *, bad: bool) -> None:
        self.counts["failed"] += 1
        self.bad_in_a_row += bad
        frame.picture = b""
        error = {"code": code, "message": message}
        frame.reply = {"type": "frame.error", "sequence": frame.sequence, **error}


def limits() -> dict[str, Any]:
    """The site's limits for a live session, in pixels, bytes, frames per second and seconds."""
    return {
        "frame_bytes": settings.LIVE_FRAME_BYTES,
        "pixels": settings.LIVE_FRAME_PIXELS,
        "rate": RANGES["rate"][1],
        "sessions_per_user": settings.LIVE_SESSIONS_PER_USER,
        "idle_seconds": settings.LIVE_IDLE_SECONDS,
        "formats": FORMATS,
    }


def face_of(answer: Mapping[str, Any]) -> Face:
    """A face of a worker's answer as an engine value."""
    marks = {name: tuple(point) for name, point in answer["landmarks"].items()}
    detection = Detection(BoundingBox(**answer["box"]), answer["score"], Landmarks(**marks))
    # A worker of the version before measures nothing.
    found, values, covered = None, answer.get("measures"), answer.get("covered")
    if covered is not None:
        found = Findings(None, Measures(*values) if values else None, covered)
    return Face(detection, Prediction(tuple(answer["probabilities"])), findings=found)


def describe(tracked: TrackedFace) -> dict[str, Any]:
    """A face in the form of `frame.result`."""
    detection, smoothed = tracked.face.detection, Prediction(tracked.smoothed)
    found = tracked.face.findings
    measures = found.measures if found else None
    covered = found.covered if found else None

    def named(probabilities: tuple[float, ...]) -> dict[str, float]:
        return {name: round(p, 4) for name, p in zip(EMOTIONS, probabilities, strict=True)}

    return {
        "track": tracked.track,
        "box": {name: round(value, 1) for name, value in asdict(detection.box).items()},
        "score": round(detection.score, 3),
        "landmarks": {
            name: [round(x, 1), round(y, 1)] for name, (x, y) in asdict(detection.landmarks).items()
        },
        "probabilities": named(tracked.face.prediction.probabilities),
        "smoothed": named(smoothed.probabilities),
        "emotion": smoothed.emotion,
        "measures": measures and asdict(measures),
        "covered": covered,
        "quality": hints_of(found.values if found else None, covered),
    }
