"""Reads videos frame by frame: containers told by their content, times by their timestamps.

Frames come upright, deinterlaced, in square pixels and standard dynamic range. Only the file itself
is opened: no playlist, no reference to another file, no network.
"""

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from .errors import MediaError
from .libav import (
    MAX_PIXELS,
    READ_SIDE,
    Conversion,
    broken,
    decode,
    decoded,
    opened,
    origin_of,
    plan_of,
    seek,
    upright_size,
)

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

logger = logging.getLogger(__name__)

EXTENSIONS = {
    **dict.fromkeys((".mp4", ".m4v", ".mov", ".3gp", ".3g2"), "mov"),
    **dict.fromkeys((".webm", ".mkv"), "matroska"),
    **dict.fromkeys((".mpg", ".mpeg", ".vob"), "mpeg"),
    **dict.fromkeys((".ts", ".m2ts", ".mts"), "mpegts"),
    ".avi": "avi",
}
"""File names that promise a video, and the container that they promise."""

ANIMATIONS = ("GIF", "WEBP", "AVIF")
"""Pillow's formats of animated pictures, which are read as videos on request."""

HEAD_BYTES = 2**12
MOST_CUES = 50_000  # key frames that are remembered; more are thinned out

_TS_PACKETS = (188, 192)


@dataclass(frozen=True, slots=True)
class VideoHeader:
    """What a video's packets tell; nothing is decoded for it but the first frame.

    `width` and `height` are upright and in square pixels; `seconds` is the time from the first
    frame to the end of the last one that is in the file, whatever the header claims; `frames` are
    counted, `times` their presentation times in seconds from the first, ascending; `key_times`
    those at which decoding can begin. `incomplete`: the header promises more than there is.
    """

    container: str
    codec: str
    width: int
    height: int
    seconds: float
    times: NDArray[np.float64]
    key_times: NDArray[np.float64]
    pixel_format: str = ""
    audio_codec: str = ""
    rotation: int = 0
    incomplete: bool = False

    @property
    def frames(self) -> int:
        return len(self.times)

    @property
    def frame_rate(self) -> float:
        """Frames a second on average."""
        return self.frames / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """A frame: uint8 RGB [height, width, 3], upright, at most READ_SIDE long.

    `time` in seconds from the video's first frame; `number` counts frames from 0.
    """

    number: int
    time: float
    rgb: NDArray[np.uint8]


def sniff(head: bytes) -> str | None:
    """The container that a file's first HEAD_BYTES bytes show, or None if it is no video's.

    The names are libav's, or Pillow's for animated pictures.
    """
    if head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}:
        brand = head[8:12]
        if head[4:8] == b"ftyp" and brand in {b"avif", b"avis"}:
            return "AVIF"
        return None if brand in {b"heic", b"heix", b"mif1", b"msf1"} else "mov"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    if head[:4] == b"RIFF":
        return {b"AVI ": "avi", b"WEBP": "WEBP"}.get(head[8:12])
    if head[:6] in {b"GIF87a", b"GIF89a"}:
        return "GIF"
    if head[:4] in {b"\0\0\1\xba", b"\0\0\1\xb3"}:
        return "mpeg" if head[3] == 0xBA else "mpegvideo"
    for size in _TS_PACKETS:
        syncs = head[size - 188 :: size][:4]
        if len(head) >= 2 * size and syncs == b"\x47" * len(syncs):
            return "mpegts"
    return None


def is_video(head: bytes) -> bool:
    """Whether these first bytes are those of a video; animated pictures are pictures."""
    return sniff(head) not in {None, *ANIMATIONS}


def container_of(path: Path) -> str:
    """The container of a file. Raises MediaError: empty_file, not_a_video."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise MediaError("empty_file", "This file is empty.")
    if container := sniff(head):
        return container
    raise MediaError(
        "not_a_video",
        "This isn't a video that Mien can read. Send MP4, MOV, WebM, MKV, AVI or MPEG.",
    )


def inspect_video(path: Path) -> VideoHeader:
    """The facts of a video, from reading its packets once.

    Raises MediaError: empty_file, not_a_video, no_video_stream, encrypted_video,
    unsupported_codec, no_frames, too_many_pixels, broken_video.
    """
    container = container_of(path)
    if container in ANIMATIONS:
        return _inspect_animation(path, container)
    with opened(path, container) as (file, stream):
        times, keys, promised = _demux(file, stream)
    first = _first_frame(path, container)
    times -= times[0]
    ends = np.diff(times, append=np.nan)
    step = float(np.nanmedian(ends)) if len(times) > 1 else 1 / 25
    seconds = float(times[-1]) + (step if step > 0 else 1 / 25)
    header = replace(
        first,
        seconds=seconds,
        times=times,
        key_times=keys if len(keys) else times[:1],
        incomplete=promised > 1.02 * seconds + 1,
    )
    return header


def read_frames(
    path: Path,
    fps: float | None = 5.0,
    start: float = 0.0,
    end: float | None = None,
    first_number: int | None = None,
) -> Iterator[VideoFrame]:
    """The first frame of each interval of 1/fps seconds within [start, end), in order.

    Times count from the video's first frame. Without `fps` every frame is read. Intervals in which
    no frame can be decoded give none. `first_number` is that of the first frame from `start` on,
    if it is known; otherwise the packets are counted. What is broken is skipped; raises MediaError
    like inspect_video only if the file can't be read at all.
    """
    container = container_of(path)
    source = (
        _animation_frames(path, container)
        if container in ANIMATIONS
        else _decoded_frames(path, container, fps, start, end, first_number)
    )
    last = -1
    for number, time, convert in source:
        if end is not None and time >= end - 1e-6:
            return
        if time < start - 1e-6:
            continue
        interval = interval_of(time, fps) if fps else number
        if interval <= last:
            continue
        last = interval
        yield VideoFrame(number, time, convert())


def interval_of(time: float, fps: float) -> int:
    """The number of the interval of 1/fps seconds in which a time lies."""
    return math.floor(time * fps + 1e-6)


def _demux(
    file: "InputContainer", stream: "VideoStream"
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Times of all frames and of key frames, and the length that the header promises."""
    import av

    times: list[float] = []
    keys: list[float] = []
    base = float(stream.time_base or 0)
    packets = file.demux(stream)
    while True:
        try:
            packet: Packet[VideoStream] | None = next(packets, None)
        except av.FFmpegError:  # the rest is missing
            break
        if packet is None:
            break
        if packet.size == 0:
            continue
        if not times and any(
            data.data_type == "encryption_info" for data in packet.iter_sidedata()
        ):
            raise MediaError("encrypted_video", "This video is encrypted. Send it unprotected.")
        stamp = packet.pts if packet.pts is not None else packet.dts
        # Raw streams have no times; their frames follow each other at the rate that is told.
        time = stamp * base if stamp is not None else len(times) / float(stream.guessed_rate or 25)
        times.append(time)
        if packet.is_keyframe:
            keys.append(time)
    if not times:
        raise MediaError("no_frames", "There is no frame in this video.")
    ordered = np.sort(np.array(times, dtype=np.float64))
    key_times = np.array(keys[:: 1 + len(keys) // MOST_CUES], dtype=np.float64) - ordered[0]
    promised = (stream.duration or 0) * base or (file.duration or 0) / 1_000_000
    return ordered, np.sort(key_times), promised


def _first_frame(path: Path, container: str) -> VideoHeader:
    """A header with the facts of the first frame that decodes. Raises MediaError."""
    import av

    with opened(path, container) as (file, stream):
        try:
            frame = next(decode(file, stream))
        except (StopIteration, av.FFmpegError) as error:
            raise broken() from error
        context = stream.codec_context
        width, height = upright_size(frame, stream)
        sound = [s.codec_context.name for s in file.streams.audio if s.codec_context]
        return VideoHeader(
            container=container,
            codec=context.name.removeprefix("lib").replace("dav1d", "av1").replace("vpx", "vp8"),
            width=width,
            height=height,
            seconds=0.0,
            times=np.empty(0),
            key_times=np.empty(0),
            pixel_format=context.pix_fmt or "",
            audio_codec=sound[0] if sound else "",
            rotation=frame.rotation % 360,
        )


def _decoded_frames(
    path: Path,
    container: str,
    fps: float | None,
    start: float,
    end: float | None,
    first_number: int | None,
) -> Iterator[tuple[int, float, "Conversion"]]:
    """Number, time and a function that converts it, of frames from about `start` on.

    With `fps` at least the first of each interval; frames that neither it nor others need may be
    left out.
    """
    with opened(path, container) as (file, stream):
        origin = origin_of(file, stream)
        if start > 0 and first_number is None:
            times, _keys, _promised = _demux(file, stream)
            first_number = int(np.searchsorted(times - times[0], start - 1e-6))
        plan = None
        if fps:
            seek(file, stream, start + origin)
            plan = plan_of(file, stream, fps, origin, start, end, first_number or 0)
        if fps or start > 0:
            seek(file, stream, start + origin)
        yield from decoded(file, stream, origin, start, first_number or 0, plan)


# --- Animated pictures ------------------------------------------------------------------------


def _open_animation(path: Path, container: str) -> Image.Image:
    try:
        picture = Image.open(path, formats=[container])
        picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise broken() from error
    return picture


def _animation_times(picture: Image.Image) -> Iterator[tuple[float, float]]:
    """The time of each frame and how long it lasts, in seconds."""
    time = 0.0
    for number in range(getattr(picture, "n_frames", 1)):
        try:
            picture.seek(number)
            picture.load()
        except (EOFError, OSError, SyntaxError):
            return
        # Browsers take a delay of up to 10 ms for a mistake and wait 100 ms.
        delay = float(picture.info.get("duration", 0))
        seconds = delay / 1000 if delay > 10 else 0.1
        yield time, seconds
        time += seconds


def _inspect_animation(path: Path, container: str) -> VideoHeader:
    with _open_animation(path, container) as picture:
        width, height = picture.size
        if width * height > MAX_PIXELS:
            raise MediaError("too_many_pixels", f"Its frames have {width} × {height} pixels.")
        spans = list(_animation_times(picture))
    if not spans:
        raise broken()
    times = np.array([time for time, _ in spans])
    seconds = spans[-1][0] + spans[-1][1]
    return VideoHeader(
        container, container.lower(), width, height, seconds, times, times[:1], "rgba"
    )


def _animation_frames(path: Path, container: str) -> Iterator[tuple[int, float, Any]]:
    with _open_animation(path, container) as picture:
        for number, (time, _seconds) in enumerate(_animation_times(picture)):

            def convert() -> NDArray[np.uint8]:
                backdrop = Image.new("RGBA", picture.size, "white")
                backdrop.alpha_composite(picture.convert("RGBA"))
                rgb = backdrop.convert("RGB")
                rgb.thumbnail((READ_SIDE, READ_SIDE))
                return np.asarray(rgb, dtype=np.uint8)

            yield number, time, convert
