"""Finds where a film cuts from one shot to another."""

import numpy as np
from numpy.typing import NDArray

from .opencv import cv2

LOOK_SIDE = 24
"""Frames are compared by their looks: uint8 RGB pictures of so many pixels in each direction."""

_BINS = 24
# Correlation of two frames' histograms below which the picture is a different one, and how much the
# frames themselves must differ on average, out of 255. Both: a flash changes only the first, a
# camera that turns quickly only the second.
_UNLIKE = 0.6
_DIFFERENT = 24.0

Look = NDArray[np.uint8]


def look_of(rgb: NDArray[np.uint8]) -> Look:
    """The look [24, 24, 3] of a uint8 RGB [height, width, 3] frame."""
    # Every so many pixels of the middle of their cells: averaging all takes ten times as long.
    rows, columns = (max(1, side // (2 * LOOK_SIDE)) for side in rgb.shape[:2])
    few = np.ascontiguousarray(rgb[rows // 2 :: rows, columns // 2 :: columns])
    size = (LOOK_SIDE, LOOK_SIDE)
    return np.asarray(cv2.resize(few, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def is_cut(before: Look, after: Look) -> bool:
    """Whether a new shot begins between two frames with these looks."""
    if np.abs(before.astype(np.int16) - after).mean() <= _DIFFERENT:
        return False
    correlation = cv2.compareHist(_histogram(before), _histogram(after), cv2.HISTCMP_CORREL)
    return bool(correlation < _UNLIKE)


def _histogram(look: Look) -> NDArray[np.float32]:
    counts = [np.histogram(look[..., channel], _BINS, (0, 256))[0] for channel in range(3)]
    # Neighboring bins are one another's: brightness that changes a little is no other picture.
    blurred = cv2.GaussianBlur(np.stack(counts).astype(np.float32), (5, 1), 0)
    return np.asarray(blurred, dtype=np.float32)
