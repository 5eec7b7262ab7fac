"""Faces over time: numbers that stay with a face, and smoothed probabilities.

Runs in the web process, so it loads neither OpenCV nor ONNX Runtime. It uses only positions and
sizes: a number says nothing about who someone is.
"""

from collections.abc import Sequence
from math import exp, inf, log, sqrt

from .assignment import assign
from .types import BoundingBox, Face, TrackedFace

FORGET_AFTER = 1.2
"""Seconds out of sight after which a face that comes back gets a new number."""


class Tracker:
    """Follows the faces of one camera from frame to frame.

    `smoothing` is the time constant of the running averages in seconds, 0 for none; it can change
    at any time. `count` is how many numbers were assigned so far; they start at 1 and are never
    reused.
    """

    def __init__(self, smoothing: float = 0.3) -> None:
        self.smoothing = smoothing
        self.count = 0
        self._time = -inf
        self._tracks: list[_Track] = []
        self._visible: list[_Track] = []

    def update(self, faces: Sequence[Face], time: float) -> list[TrackedFace]:
        """The faces of a frame with their numbers, in the same order.

        `time` is when the frame was taken, in seconds of any clock; steps may be uneven. A time
        before the last frame's counts as the same time.
        """
        self._time = time = max(time, self._time)
        self._tracks = [track for track in self._tracks if time - track.seen_at <= FORGET_AFTER]
        places = [_place(face.detection.box) for face in faces]
        costs = [[track.cost(place, time) for track in self._tracks] for place in places]
        known = [
            None if index is None else self._tracks[index] for index in assign(costs, _STRANGER)
        ]
        self._visible = []
        for track, face, place in zip(known, faces, places, strict=True):
            if track is None:
                self.count += 1
                track = _Track(self.count, face, place, time)
                self._tracks.append(track)
            else:
                track.see(face, place, time, self.smoothing)
            self._visible.append(track)
        return [
            TrackedFace(track.number, face, track.smoothed)
            for track, face in zip(self._visible, faces, strict=True)
        ]

    def forget(self) -> None:
        """End all tracks, as after a cut: no face that comes is one of theirs."""
        self._tracks, self._visible = [], []

    def visible(self) -> list[BoundingBox]:
        """The boxes of the faces in the last frame: where to look for them in the next."""
        return [track.box for track in self._visible]

    @property
    def hidden(self) -> int:
        """How many faces are out of sight but remembered; if any, a search is worthwhile."""
        return len(self._tracks) - len(self._visible)


# A face's place: the x and y of its center in pixels, and the logarithm of its size. Jitter of the
# detector's boxes is then about the same fraction of the face's size in all three.
_Place = tuple[float, float, float]

# All below are fractions of a face's size, and seconds: the jitter of boxes, how quickly a face may
# change its speed (spectral density of its acceleration), and how fast it may move when first seen.
_TREMBLE = 0.03**2
_RESTLESSNESS = 1.0
_FIRST_SPEED = 2.0**2
# A face this many times larger or smaller than expected is a different one.
_SIZE_RATIO = log(1.7)
# A pair that costs more is not the same face. The limit is about one face size from the expected
# place for a face seen a moment ago, one and a half after half a second out of sight.
_STRANGER = 3.0


def _place(box: BoundingBox) -> _Place:
    size = sqrt(max(box.width * box.height, 1.0))
    return box.x + box.width / 2, box.y + box.height / 2, log(size)


class _Track:
    """One face: a constant-velocity Kalman filter for each coordinate.

    Only the size is expected to stay: the box of a face that is about to be hidden shrinks, but it
    comes back as large as before.
    """

    def __init__(self, number: int, face: Face, place: _Place, time: float) -> None:
        self.number = number
        self.box = face.detection.box
        self.smoothed = face.prediction.probabilities
        self.seen_at = time
        self._place = place
        self._velocity = (0.0, 0.0)
        # The covariances place-place, place-velocity and velocity-velocity.
        self._variance = (_TREMBLE, 0.0, _FIRST_SPEED)

    def cost(self, place: _Place, time: float) -> float:
        """How unlikely it is that this face is now at `place`; infinite if impossible.

        The negative log of a heavy-tailed density (Student's t, one degree of freedom, in three
        dimensions), because heads start and stop suddenly. It prefers a track seen a moment ago to
        one long out of sight, whose place is uncertain; so the face in front keeps its number
        while it hides another.
        """
        expected = self._expect(time - self.seen_at)
        size = exp(expected[2])
        x, y = (place[0] - expected[0]) / size, (place[1] - expected[1]) / size
        growth = place[2] - expected[2]
        if abs(growth) > _SIZE_RATIO:
            return inf
        spread = self._spread(time - self.seen_at)[0] + _TREMBLE
        return 2 * log(spread + x * x + y * y + growth * growth) - log(spread) / 2

    def see(self, face: Face, place: _Place, time: float, smoothing: float) -> None:
        """Update with the face's newest place and probabilities."""
        elapsed = time - self.seen_at
        expected = self._expect(elapsed)
        here, between, speed = self._spread(elapsed)
        gain, speed_gain = here / (here + _TREMBLE), between / (here + _TREMBLE)
        x, y, size = (new - old for new, old in zip(place, expected, strict=True))
        self._place = expected[0] + gain * x, expected[1] + gain * y, expected[2] + gain * size
        dx, dy = self._velocity
        self._velocity = dx + speed_gain * x, dy + speed_gain * y
        self._variance = (
            (1 - gain) * here,
            (1 - gain) * between,
            speed - speed_gain * between,
        )
        weight = 1 - exp(-elapsed / smoothing) if smoothing > 0 else 1.0
        self.smoothed = tuple(
            weight * new + (1 - weight) * old
            for old, new in zip(self.smoothed, face.prediction.probabilities, strict=True)
        )
        self.box = face.detection.box
        self.seen_at = time

    def _expect(self, elapsed: float) -> _Place:
        """The expected place this many seconds after the face was last seen."""
        (x, y, size), (dx, dy) = self._place, self._velocity
        return x + dx * elapsed, y + dy * elapsed, size

    def _spread(self, elapsed: float) -> tuple[float, float, float]:
        """The variances then."""
        here, between, speed = self._variance
        return (
            here + 2 * between * elapsed + speed * elapsed**2 + _RESTLESSNESS * elapsed**3 / 3,
            between + speed * elapsed + _RESTLESSNESS * elapsed**2 / 2,
            speed + _RESTLESSNESS * elapsed,
        )
