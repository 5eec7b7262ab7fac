"""Decides for each frame whether its faces are followed or the whole frame is searched.

Following takes a fraction of the time of a search. Like the tracker, it loads neither OpenCV nor
ONNX Runtime.
"""

from .tracker import Tracker
from .types import BoundingBox

SEARCH_EVERY = 0.4
"""Seconds between full searches: a new face is found after at most this long."""

# With nobody in view, smaller faces than wanted are searched for this often (seconds), because that
# takes several times as long.
SEARCH_SMALL_EVERY = 1.0
SMALLEST_FACE = 24  # pixels


class Follower:
    """Where to look for the faces of the next frame, from what `tracker` saw in the last ones."""

    def __init__(self, tracker: Tracker) -> None:
        self.tracker = tracker
        self._searched_at = float("-inf")
        self._searched_small_at: float | None = None

    def hints(self, time: float) -> list[BoundingBox]:
        """The boxes of faces to follow, or none if the whole frame should be searched."""
        boxes = self.tracker.visible()
        # A face that was hidden for a moment must be found as soon as it reappears. Times are
        # rounded: every second frame at 5 a second is due.
        due = time - self._searched_at >= SEARCH_EVERY - 1e-6
        if not boxes or self.tracker.hidden or due:
            self._searched_at = time
            return []
        return boxes

    def min_face(self, time: float, wanted: int) -> int:
        """The smallest face to look for in the next frame, in pixels.

        The wanted size; but faces in view are followed even if they are smaller, and with nobody in
        view a frame a second is searched for smaller ones.
        """
        if boxes := self.tracker.visible():
            smallest = min(max(box.width, box.height) for box in boxes)
            # Some smaller: they may go farther away.
            return min(wanted, max(SMALLEST_FACE, int(0.7 * smallest)))
        if self._searched_small_at is None:
            self._searched_small_at = time
        if time - self._searched_small_at < SEARCH_SMALL_EVERY:
            return wanted
        self._searched_small_at = time
        return min(wanted, SMALLEST_FACE)
