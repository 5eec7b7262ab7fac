"""Makes faces unrecognizable: what is left of one is a mosaic of a few averages."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .opencv import cv2

Pixels = NDArray[np.uint8]
Box = tuple[float, float, float, float]
"""x, y, width, height."""
Places = tuple[float, list[Box]]
"""The boxes at a time in seconds."""

CELLS = 5
"""Averages across a face. Programs that recognize faces need about 20 pixels, people about 16
(Sinha et al. 2006, Face recognition by humans); what falls between so few can't be brought back."""

MARGIN = 0.25
"""Of its box around a face: hair, ears and chin tell people apart, too."""

AROUND = 0.6
"""Seconds for which a face of a video stays covered before and after it was seen."""


def blur_faces(rgb: Pixels, boxes: Iterable[Box], scale: float = 1.0) -> Pixels:
    """The picture [H, W, 3] with a mosaic in place of each box; `scale` brings boxes to pixels."""
    canvas = np.ascontiguousarray(rgb).copy()
    height, width = canvas.shape[:2]
    for x, y, w, h in boxes:
        left, top = max(0, int((x - MARGIN * w) * scale)), max(0, int((y - MARGIN * h) * scale))
        right = min(width, int(np.ceil((x + (1 + MARGIN) * w) * scale)))
        bottom = min(height, int(np.ceil((y + (1 + MARGIN) * h) * scale)))
        if right <= left or bottom <= top:
            continue
        part = canvas[top:bottom, left:right]
        # The same number of cells, however large the face is: a large one must not show more.
        few = cv2.resize(part, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
        size = (right - left, bottom - top)
        canvas[top:bottom, left:right] = cv2.resize(few, size, interpolation=cv2.INTER_NEAREST)
    return canvas


def read_places(path: Path) -> Iterator[Places]:
    """Places from a file of JSON Lines, [time, boxes], in order."""
    with path.open() as file:
        for line in file:
            time, boxes = json.loads(line)
            yield time, [tuple(box) for box in boxes]


def blurrer(places: Iterator[Places], width: int, step: float) -> Callable[[Pixels, float], Pixels]:
    """A function that blurs the faces of a frame [H, W, 3] at a time in seconds.

    `width` is that of the frames in which the boxes were found, `step` the seconds between two
    samples. A frame gets the boxes of all samples near it, and those of the way between two, so
    no face shows in the frames between samples. Frames must come in order.
    """
    reach = max(AROUND, 2.5 * step)
    near: deque[Places] = deque()
    following = next(places, None)

    def blur(rgb: Pixels, time: float) -> Pixels:
        nonlocal following
        while following is not None and following[0] <= time + reach:
            near.append(following)
            following = next(places, None)
        while near and near[0][0] < time - reach:
            near.popleft()
        boxes = [box for _time, found in near for box in found]
        return blur_faces(rgb, boxes, rgb.shape[1] / width) if boxes else rgb

    return blur
