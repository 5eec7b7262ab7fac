"""One picture in many sizes: halves for cheap sampling, levels and crops for the networks."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .boxes import Floats
from .opencv import cv2

Pixels = NDArray[np.uint8]

CELL = 12
"""Side in pixels of the cell that MTCNN's first network sees; fixed by its layers."""

STRIDE = 2
"""Pixels from one cell to the next."""

PIECE = 40_000
"""Networks run on tiles of about this many pixels.

Intermediate values then stay in the cache and in memory that is reused, which makes large photos
three times faster.
"""

# From one size to the next; half the area, as in the paper's code.
_STEP = 0.709


def fit(rgb: Pixels, side: int) -> Pixels:
    """The image, scaled down if its longest side exceeds `side`; contiguous."""
    longest = max(rgb.shape[:2])
    if longest <= side:
        return np.ascontiguousarray(rgb)
    # Halving averages every pixel at a quarter of the price of one step with INTER_AREA.
    while longest >= 2 * side:
        rgb = _halve(rgb)
        longest = max(rgb.shape[:2])
    height, width = (max(1, round(length * side / longest)) for length in rgb.shape[:2])
    return np.asarray(cv2.resize(rgb, (width, height)), dtype=np.uint8)


def _halve(rgb: Pixels) -> Pixels:
    height, width = rgb.shape[0] // 2, rgb.shape[1] // 2
    # An odd last row or column is left out: whole blocks of 2x2 are the fast case.
    even = rgb[: max(1, height * 2), : max(1, width * 2)]
    size = (max(1, width), max(1, height))
    return np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def halve_repeatedly(rgb: Pixels) -> list[Pixels]:
    """The image at 1/1, 1/2, 1/4 and so on, while a cell fits in: its octaves."""
    octaves = [rgb]
    while min(octaves[-1].shape[:2]) >= 2 * CELL:
        octaves.append(_halve(octaves[-1]))
    return octaves


def levels(octaves: list[Pixels], scale: float) -> Iterator[tuple[Pixels, Floats]]:
    """Ever smaller copies, the first at `scale`, each with the factors (x, y) back to full size."""
    height, width = octaves[0].shape[:2]
    while min(height, width) * scale >= CELL:
        octave = _octave(octaves, 1 / scale)
        source = octaves[octave]
        size = (round(width * scale), round(height * scale))
        level = cv2.resize(source, size)
        back = np.array([source.shape[1] / size[0], source.shape[0] / size[1]], dtype=np.float32)
        yield np.asarray(level, dtype=np.uint8), back * 2**octave
        scale *= _STEP


def strips(level: Pixels) -> Iterator[tuple[int, Pixels]]:
    """The level in horizontal strips, each with its top row; each cell is in exactly one."""
    height, width = level.shape[:2]
    overlap = CELL - STRIDE
    rows = max(PIECE // width // STRIDE * STRIDE, 2 * CELL)
    for top in range(0, height - overlap, rows - overlap):
        yield top, level[top : top + rows]


def crop(octaves: list[Pixels], boxes: Floats, side: int) -> Pixels:
    """The square boxes [n, 4] as uint8 [n, side, side, 3]; mid-gray outside the image."""
    crops = np.empty((len(boxes), side, side, 3), dtype=np.uint8)
    for target, (left, top, right, _) in zip(crops, boxes.tolist(), strict=True):
        step = max(right - left, 1) / side
        octave = _octave(octaves, step)
        factor = 2**octave
        matrix = np.array(
            [
                [step / factor, 0, (left + step / 2) / factor - 0.5],
                [0, step / factor, (top + step / 2) / factor - 0.5],
            ]
        )
        cv2.warpAffine(
            octaves[octave],
            matrix,
            (side, side),
            dst=target,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(127, 127, 127),
        )
    return crops


def _octave(octaves: list[Pixels], shrink: float) -> int:
    """The octave from which to sample: at most a factor of two is left for bilinear sampling."""
    return min(max(int(np.log2(shrink)), 0), len(octaves) - 1) if shrink > 1 else 0
