"""Videos made for tests."""

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

Pixels = NDArray[np.uint8]


def numbered(number: int, width: int = 320, height: int = 240) -> Pixels:
    """A picture with its number as twelve black or white bars, the lowest bit at the left."""
    picture = np.full((height, width, 3), 40, np.uint8)
    for bit in range(12):
        left, right = bit * width // 12, (bit + 1) * width // 12
        picture[height // 3 :, left:right] = 220 if number >> bit & 1 else 20
    return picture


def number_in(rgb: Pixels) -> int:
    """The number of such a picture, also after it was encoded and scaled."""
    height, width = rgb.shape[:2]
    row = rgb[height * 2 // 3].mean(axis=-1)
    centers = [(2 * bit + 1) * width // 24 for bit in range(12)]
    return sum(1 << bit for bit, x in enumerate(centers) if row[x] > 120)


def astronaut(time: float, width: int = 640, height: int = 360) -> Pixels:
    """A portrait that sways in front of a gray wall."""
    picture = np.full((height, width, 3), 110, np.uint8)
    x = 0.25 * width + 0.08 * width * np.sin(time)
    scale = height / 512
    move = np.array([[scale, 0, x], [0, scale, 0]], np.float32)
    cv2.warpAffine(
        data.astronaut(), move, (width, height), picture, borderMode=cv2.BORDER_TRANSPARENT
    )
    return picture


def write(
    path: Path,
    pictures: Iterable[Pixels],
    *,
    codec: str = "libx264",
    rate: Fraction | int = 30,
    times: Callable[[int], float] | None = None,
    pixels: str = "yuv420p",
    rotation: int = 0,
    options: dict[str, str] | None = None,
    container: str | None = None,
    container_options: dict[str, str] | None = None,
    sound: bool = False,
    prepare: Callable[[Any], None] | None = None,
    change: Callable[[av.VideoFrame], None] | None = None,
) -> Path:
    """A video of these pictures; `times` gives the seconds of the n-th for a variable rate."""
    with av.open(str(path), "w", format=container, options=container_options or {}) as file:
        stream: Any = file.add_stream(codec, rate=rate, options=options or {})
        stream.pix_fmt = pixels
        if times:
            stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            stream.set_display_rotation(rotation)
        if prepare:
            prepare(stream)
        voice: Any = file.add_stream("aac", rate=16_000) if sound else None
        written = 0
        for number, picture in enumerate(pictures):
            if not written:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            if times:
                frame.pts, frame.time_base = round(times(number) * 1000), Fraction(1, 1000)
            if change:
                change(frame)
            file.mux(stream.encode(frame))
            written += 1
        file.mux(stream.encode())
        if voice:
            for start in range(0, round(written / float(rate) * 16_000), 1024):
                silence = av.AudioFrame.from_ndarray(
                    np.zeros((1, 1024), np.float32), "fltp", "mono"
                )
                silence.sample_rate, silence.pts = 16_000, start
                file.mux(voice.encode(silence))
            file.mux(voice.encode())
    return path
