"""Video streams as libav decodes them: opened safely, skipping what is broken, turned to RGB."""

import logging
import math
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .errors import MediaError
from .opencv import cv2
from .tone import tone_map

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame as Decoded
    from av.video.stream import VideoStream

logger = logging.getLogger(__name__)

CODECS = ("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mpeg2video", "mpeg1video", "mjpeg")
MAX_PIXELS = 8192 * 4352  # of a frame: 8K
READ_SIDE = 1280  # frames are read at this longest side; detection needs no more
_HDR = {16: "pq", 18: "hlg"}  # color transfer characteristics (ITU-T H.273)


@contextmanager
def opened(
    path: Path, container: str, audio: bool = False
) -> "Iterator[tuple[InputContainer, VideoStream]]":
    """The file and its video stream; sound is passed over unless wanted. Raises MediaError."""
    # Imported here: few of the processes that import this module ever read a video.
    import av
    from av.stream import Disposition

    # Without these, a demuxer could open other files or addresses that the file names.
    options = {"protocol_whitelist": "file", "enable_drefs": "0"}
    if container != "mov":
        del options["enable_drefs"]
    try:
        file = av.open(str(path), format=container, options=options, metadata_errors="replace")
    except (av.FFmpegError, ValueError) as error:
        raise broken() from error
    with file:
        # The picture of an album's cover is a video stream too.
        streams = [s for s in file.streams.video if not s.disposition & Disposition.attached_pic]
        if not streams:
            raise MediaError("no_video_stream", "There is no picture in this file, only sound.")
        stream = streams[0]
        context = stream.codec_context
        if context is None or context.name.removeprefix("lib") not in _decoders():
            name = context.name if context else "an unknown codec"
            raise MediaError(
                "unsupported_codec",
                f"This video is encoded with {name}. Convert it to MP4 with H.264.",
            )
        if context.width * context.height > MAX_PIXELS:
            raise MediaError(
                "too_many_pixels",
                f"Its frames have {context.width} × {context.height} pixels; "
                "up to 8192 × 4352 are accepted.",
            )
        context.thread_count = 1  # workers already use every core
        for other in file.streams:
            wanted = other is stream or (audio and other.type == "audio")
            other.discard = av.stream.Discard.default if wanted else av.stream.Discard.all
        yield file, stream


def _decoders() -> set[str]:
    # AV1 is decoded by dav1d, VP8 and VP9 by libav's own decoders or libvpx.
    return {*CODECS, "dav1d", "vpx", "vpx-vp9"}


def broken() -> MediaError:
    return MediaError("broken_video", "This video is damaged: nothing of it could be read.")


def decode(
    file: "InputContainer",
    stream: "VideoStream",
    others: "Sequence[Stream]" = (),
    take: "Callable[[Packet[Any]], None] | None" = None,
    wanted: Container[int] | None = None,
) -> "Iterator[Decoded]":
    """The frames in order of presentation; packets that cannot be decoded are skipped.

    `take` is called with the packets of the other streams. Of frames whose stamps are not
    `wanted` only those are decoded that others refer to.
    """
    import av

    packets = file.demux(stream, *others)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:  # the file ends in the middle; the decoder may hold some frames
            packet = None
        if packet is not None and packet.stream is not stream:
            if take:
                take(packet)
            continue
        if wanted is not None and packet is not None:
            stream.codec_context.skip_frame = "DEFAULT" if packet.pts in wanted else "NONREF"
        try:
            yield from stream.decode(packet)
        except av.FFmpegError as error:
            logger.debug("A packet could not be decoded: %s", error)
        if packet is None or packet.size == 0:
            return


@dataclass(frozen=True, slots=True)
class Plan:
    """Which frames are needed: `numbers` of all by their stamps, `wanted` stamps."""

    numbers: Mapping[int, int]
    wanted: Container[int]


def seek(file: "InputContainer", stream: "VideoStream", time: float) -> None:
    """Go to the last key frame before a presentation time in seconds."""
    import av

    target = int(time / float(stream.time_base)) if stream.time_base else 0
    try:
        file.seek(target, stream=stream, backward=True)
    except av.FFmpegError:
        file.seek(0, stream=stream, backward=True, any_frame=True)


def plan_of(
    file: "InputContainer",
    stream: "VideoStream",
    fps: float,
    origin: float,
    start: float,
    end: float | None,
    first_number: int,
) -> Plan | None:
    """Which frames of [start, end) the decoder must give, and the numbers of all.

    None if the packets don't tell their times.
    """
    import av

    base = float(stream.time_base or 0)
    stamps: set[int] = set()
    try:
        for packet in file.demux(stream):
            if packet.size == 0:
                continue
            if packet.pts is None or not base:
                return None
            stamps.add(packet.pts)
            begun = packet.pts if packet.dts is None else packet.dts
            if end is not None and begun * base - origin >= end:
                break
    except av.FFmpegError:  # the rest is missing
        pass
    ordered = np.array(sorted(stamps), dtype=np.int64)
    ordered = ordered[ordered * base - origin >= start - 1e-6]
    intervals = np.floor((ordered * base - origin) * fps + 1e-6)
    _, firsts = np.unique(intervals, return_index=True)
    numbers = {int(stamp): first_number + place for place, stamp in enumerate(ordered)}
    return Plan(numbers, frozenset(ordered[firsts].tolist()))


def decoded(
    file: "InputContainer",
    stream: "VideoStream",
    origin: float,
    start: float = 0.0,
    first_number: int = 0,
    plan: Plan | None = None,
    *,
    side: int = READ_SIDE,
    others: "Sequence[Stream]" = (),
    take: "Callable[[Packet[Any]], None] | None" = None,
) -> Iterator[tuple[int, float, "Conversion"]]:
    """The frames from `start` on: number, time since `origin`, and a function that converts it.

    A time that is not after the last one is left out. `first_number` is that of the first frame;
    `take` gets the packets of the `others`. With a plan, frames that are not needed may be missing.
    """
    previous, number = -math.inf, first_number
    for frame in decode(file, stream, others, take, plan.wanted if plan else None):
        if frame.time is not None:
            time = frame.time - origin
        else:
            time = max(previous + 1 / float(stream.guessed_rate or 25), 0.0)
        if time <= previous or time < start - 1e-6:
            continue
        previous = time
        if plan and frame.pts is not None:
            number = plan.numbers.get(frame.pts, number)
        yield number, time, Conversion(frame, stream, side)
        number += 1


def origin_of(file: "InputContainer", stream: "VideoStream") -> float:
    """The presentation time of the first frame in seconds; the file is at its start again."""
    import av

    if stream.start_time is not None and stream.time_base:
        return float(stream.start_time * stream.time_base)
    try:
        stamps = [p.pts for p, _ in zip(file.demux(stream), range(32), strict=False)]
        file.seek(0)
    except av.FFmpegError:
        return 0.0
    known = [stamp for stamp in stamps if stamp is not None]
    return float(min(known) * stream.time_base) if known and stream.time_base else 0.0


def _aspect(stream: "VideoStream") -> float:
    """How much wider than high a pixel is; strange values are mistakes."""
    ratio = float(stream.sample_aspect_ratio or 1)
    return ratio if 0.25 <= ratio <= 4 else 1.0


def upright_size(frame: "Decoded", stream: "VideoStream") -> tuple[int, int]:
    width, height = max(1, round(frame.width * _aspect(stream))), frame.height
    return (height, width) if frame.rotation % 180 else (width, height)


@dataclass(frozen=True, slots=True)
class Conversion:
    """Turns a decoded frame into RGB when it is wanted; most frames are only passed over."""

    frame: "Decoded"
    stream: "VideoStream"
    side: int

    def __call__(self) -> NDArray[np.uint8]:
        frame = self.frame
        width, height = frame.width * _aspect(self.stream), float(frame.height)
        scale = min(1.0, self.side / max(width, height))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        if transfer := _HDR.get(int(frame.color_trc or 0)):
            deep = frame.reformat(*size, format="rgb48le", threads=1).to_ndarray()
            rgb = tone_map(deep.astype(np.uint16, copy=False), transfer)
        elif frame.interlaced_frame:
            # Every other line shows another moment; one field is enough to read a face.
            whole = frame.reformat(frame.width, frame.height, format="rgb24", threads=1)
            field = np.asarray(whole.to_ndarray()[::2], dtype=np.uint8)
            rgb = np.asarray(cv2.resize(field, size, interpolation=cv2.INTER_AREA), np.uint8)
        else:
            small = frame.reformat(*size, format="rgb24", threads=1)
            rgb = np.asarray(small.to_ndarray(), dtype=np.uint8)
        turned: NDArray[np.uint8] = np.rot90(rgb, round(frame.rotation / 90))
        return np.ascontiguousarray(turned)
