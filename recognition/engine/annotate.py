"""Draws faces onto the frames of a video: box, name, expression, and bars of all seven."""

import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .emotions import COLORS, EMOTIONS
from .opencv import cv2

Pixels = NDArray[np.uint8]

GAP_STEPS = 1.6  # a box stands no longer than so many steps between samples without one

MarkedFace = tuple[str, tuple[float, ...], tuple[float, ...]]
"""A name, the box (x, y, width, height) in pixels of the video, and seven probabilities."""

Marks = tuple[float, dict[str, MarkedFace]]
"""The faces at a time in seconds, each by a key that it keeps from sample to sample."""


def read_marks(path: Path) -> Iterator[Marks]:
    """Marks from a file of JSON Lines, [time, {key: [name, box, probabilities]}], in order."""
    with path.open() as file:
        for line in file:
            time, faces = json.loads(line)
            yield time, {key: (name, tuple(box), tuple(p)) for key, (name, box, p) in faces.items()}


def painter(marks: Iterator[Marks], width: int, step: float) -> Callable[[Pixels, float], Pixels]:
    """A function that draws the faces of a frame [H, W, 3] at a time in seconds.

    `width` is that of the frames in which the boxes were found, `step` the seconds between two
    samples; boxes move evenly from one to the next. Frames must come in order.
    """
    before: Marks = (-1.0, {})
    after = next(marks, None)

    def paint(rgb: Pixels, time: float) -> Pixels:
        nonlocal before, after
        while after is not None and after[0] <= time + 2e-3:
            before, after = after, next(marks, None)
        faces = _between(before, after, time, step)
        if not faces:
            return rgb
        canvas = np.ascontiguousarray(rgb).copy()
        for face in faces:
            _draw(canvas, face, canvas.shape[1] / width)
        return canvas

    return paint


def _between(before: Marks, after: Marks | None, time: float, step: float) -> list[MarkedFace]:
    since, faces = time - before[0], []
    for key, (name, box, probabilities) in before[1].items():
        then = after[1].get(key) if after and after[0] - before[0] <= GAP_STEPS * step else None
        if then:
            share = since / (after[0] - before[0]) if after else 0.0
            box = tuple(a + share * (b - a) for a, b in zip(box, then[1], strict=True))
        elif since > step:
            continue
        faces.append((name, box, probabilities))
    return faces


def _draw(canvas: Pixels, face: MarkedFace, scale: float) -> None:
    name, box, probabilities = face
    height, width = canvas.shape[:2]
    line = max(2, round(max(height, width) / 500))
    size = max(12, round(max(height, width) / 60))
    top = int(np.argmax(probabilities))
    x, y, w, h = (round(side * scale) for side in box)
    cv2.rectangle(canvas, (x, y), (x + w, y + h), _rgb(EMOTIONS[top]), line)
    words = f"{EMOTIONS[top]} {round(100 * probabilities[top])} %"
    label = _label(f"{name} · {words}" if name else words, size, EMOTIONS[top])
    above = y - label.shape[0]
    _paste(canvas, label, x, above if above >= 0 else y)
    bar, gap = max(3, size // 4), max(1, size // 8)
    for place, emotion in enumerate(EMOTIONS):
        low = y + h + gap + place * (bar + gap)
        for share, color in ((1.0, (40, 42, 46)), (probabilities[place], _rgb(emotion))):
            far = x + max(1, round(w * share))
            cv2.rectangle(canvas, (x, low), (far, low + bar - 1), color, cv2.FILLED)


def _rgb(emotion: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(COLORS[emotion][1:])
    return red, green, blue


@lru_cache(maxsize=512)
def _label(words: str, size: int, emotion: str) -> Pixels:
    """The words in white on the expression's color; OpenCV's own letters are ASCII only."""
    font = ImageFont.load_default(size=size)
    left, top, right, bottom = font.getbbox(words)
    edge = max(2, size // 4)
    shape = round(right - left) + 2 * edge, round(bottom - top) + 2 * edge
    picture = Image.new("RGB", shape, COLORS[emotion])
    ImageDraw.Draw(picture).text((edge - left, edge - top), words, fill="white", font=font)
    return np.asarray(picture, dtype=np.uint8)


def _paste(canvas: Pixels, label: Pixels, x: int, y: int) -> None:
    """Put the label there, moved inside where it would stick out."""
    height, width = canvas.shape[:2]
    x = max(0, min(x, width - label.shape[1]))
    y = max(0, min(y, height - label.shape[0]))
    part: Any = canvas[y : y + label.shape[0], x : x + label.shape[1]]
    part[:] = label[: part.shape[0], : part.shape[1]]
