"""Finds where a film cuts from one shot to another."""

import numpy as np
from numpy.typing import NDArray

from .opencv import cv2

_BINS = 24
# Correlation of two frames' histograms below which the picture is a different one, and how much the
# frames themselves must differ on average, out of 255. Both: a flash changes only the first, a
# camera that turns quickly only the second.
_UNLIKE = 0.6
_DIFFERENT = 24.0
_SIDE = 48


class ShotDetector:
    """Compares each frame with the last one; frames may be any time apart."""

    def __init__(self) -> None:
        self._last: tuple[NDArray[np.float32], NDArray[np.int16]] | None = None

    def cuts(self, rgb: NDArray[np.uint8]) -> bool:
        """Whether a new shot begins with this uint8 RGB [height, width, 3] frame."""
        # Every so many pixels of the middle of their cells: averaging all takes ten times as long.
        rows, columns = (max(1, side // _SIDE) for side in rgb.shape[:2])
        small = cv2.resize(rgb[rows // 2 :: rows, columns // 2 :: columns], (_SIDE, _SIDE))
        histogram = np.stack(
            [np.histogram(small[..., c], _BINS, (0, 256))[0] for c in range(3)]
        ).astype(np.float32)
        # Neighboring bins are one another's: brightness that changes a little is no other picture.
        histogram = np.asarray(cv2.GaussianBlur(histogram, (5, 1), 0), dtype=np.float32)
        last, self._last = self._last, (histogram, small.astype(np.int16))
        if last is None:
            return False
        unlike = cv2.compareHist(last[0], histogram, cv2.HISTCMP_CORREL) < _UNLIKE
        return bool(unlike and np.abs(last[1] - self._last[1]).mean() > _DIFFERENT)
