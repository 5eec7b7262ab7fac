"""Copies a video so that every browser plays it, upright, from 0 s, without metadata.

Its packets are copied where browsers know the codec; otherwise it is encoded again.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import MediaError
from .libav import decoded, opened, origin_of
from .video import ANIMATIONS, container_of, read_frames

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

Draw = Callable[["np.ndarray", float], "np.ndarray"]
"""Changes an upright frame [H, W, 3] at a time in seconds."""

SIDE = 1920  # the longest side of a video that is encoded again
_ENCODER = {"preset": "veryfast", "crf": "23", "threads": "1", "g": "60"}
_CLOCK = Fraction(1, 90_000)
_TELL_EVERY = 1.0  # seconds of video

# Codecs that browsers play, and the sound that may stand beside them, by the copy's container.
_PLAYED: dict[str, tuple[set[str], set[str]]] = {
    "mp4": ({"h264"}, {"aac", "mp3"}),
    "webm": ({"vp8", "vp9", "av1", "libdav1d", "libvpx", "libvpx-vp9"}, {"opus", "vorbis"}),
}
_PIXELS = {"yuv420p", "yuvj420p"}


def media_type_of(path: Path) -> str:
    """The media type of the copy that copy_playable would make. Raises MediaError."""
    container = container_of(path)
    if container in ANIMATIONS:
        return "video/mp4"
    with opened(path, container) as (_file, stream):
        return f"video/{_copied_to(stream) or 'mp4'}"


def copy_playable(
    path: Path, target: Path, *, audio: bool = True, draw: Draw | None = None
) -> Iterator[float]:
    """Write the copy to `target`; gives the share that is done, up to 1. Raises MediaError.

    With `draw` every frame passes through it, and the copy is MP4.
    """
    import av

    container = container_of(path)
    if container in ANIMATIONS:
        with av.open(str(target), "w", format="mp4") as output:
            _encode_animation(path, output, draw)
        yield 1.0
        return
    with opened(path, container, audio=audio) as (file, stream):
        kind = None if draw else _copied_to(stream)
        seconds = float(stream.duration or 0) * float(stream.time_base or 0)
        seconds = seconds or (file.duration or 0) / 1_000_000 or 1.0
        with av.open(str(target), "w", format=kind or "mp4") as output:
            told = 0.0
            times = (
                _copy(file, stream, output, audio)
                if kind
                else _encode(file, stream, output, audio, draw)
            )
            for time in times:
                if time >= told + _TELL_EVERY:
                    told = time
                    yield min(0.99, time / seconds)
    yield 1.0


def _copied_to(stream: "VideoStream") -> str | None:
    """The container into which the packets can be copied; None if they must be encoded again."""
    context = stream.codec_context
    for kind, (video, _audio) in _PLAYED.items():
        if context.name in video and (context.pix_fmt in _PIXELS or context.pix_fmt is None):
            return kind
    return None


def _copy(
    file: "InputContainer", stream: "VideoStream", output: "OutputContainer", audio: bool
) -> Iterator[float]:
    """Copies packets; gives their times in seconds."""
    import av

    origin = origin_of(file, stream)
    sound = _Sound(file, output, audio, origin)
    copy = output.add_stream_from_template(stream)
    shift = round(origin / float(stream.time_base)) if stream.time_base else 0
    last: int | None = None
    packets = _with_decoding_times(file.demux(stream, *sound.streams), stream)
    try:
        for packet in packets:
            if packet.stream is not stream:
                sound.take(packet)
            elif packet.size and packet.dts is not None:
                packet.dts -= shift
                packet.pts = packet.dts if packet.pts is None else packet.pts - shift
                if last is not None and packet.dts <= last:
                    continue  # broken: muxers refuse times that go back
                last = packet.dts
                time = float(packet.pts * packet.time_base)
                packet.stream = copy
                output.mux(packet)
                yield time
    except av.FFmpegError:  # the file ends in the middle: what there is has been copied
        pass
    if last is None:
        raise MediaError("no_frames", "There is no frame in this video.")
    sound.finish()


def _with_decoding_times(
    packets: "Iterator[Packet[Any]]", stream: "VideoStream"
) -> "Iterator[Packet[Any]]":
    """The packets; Matroska has no decoding times, and libav finds the first ones out late."""
    waiting: list[Any] = []
    for packet in packets:
        if packet.stream is stream and packet.dts is None and packet.size:
            waiting.append(packet)
            continue
        if waiting and packet.stream is stream and packet.dts is not None:
            for place, early in enumerate(waiting):
                early.dts = packet.dts - len(waiting) + place
            yield from waiting
            waiting = []
        yield packet
    for place, early in enumerate(waiting):
        early.dts = (early.pts or 0) - len(waiting) + place
    yield from waiting


def _encode(
    file: "InputContainer",
    stream: "VideoStream",
    output: "OutputContainer",
    audio: bool,
    draw: Draw | None,
) -> Iterator[float]:
    """Encodes every frame again, upright; gives their times in seconds."""
    origin = origin_of(file, stream)
    sound = _Sound(file, output, audio, origin)
    encoder: _Encoder | None = None
    for _number, time, convert in decoded(
        file, stream, origin, side=SIDE, others=sound.streams, take=sound.take
    ):
        rgb = draw(convert(), time) if draw else convert()
        encoder = encoder or _Encoder(output, rgb.shape[1], rgb.shape[0])
        encoder.add(rgb, time)
        yield time
    if encoder is None:
        raise MediaError("no_frames", "No frame of this video can be decoded.")
    encoder.finish()
    sound.finish()


def _encode_animation(path: Path, output: "OutputContainer", draw: Draw | None) -> None:
    encoder: _Encoder | None = None
    for frame in read_frames(path, None):
        rgb = draw(frame.rgb, frame.time) if draw else frame.rgb
        encoder = encoder or _Encoder(output, rgb.shape[1], rgb.shape[0])
        encoder.add(rgb, frame.time)
    if encoder:
        encoder.finish()


class _Encoder:
    """H.264 that every browser plays: 8 bits, 4:2:0, even sides."""

    def __init__(self, output: "OutputContainer", width: int, height: int) -> None:
        self.output = output
        self.size = max(2, width // 2 * 2), max(2, height // 2 * 2)
        self.stream: Any = output.add_stream("libx264", rate=30, options=_ENCODER)
        self.stream.width, self.stream.height = self.size
        self.stream.pix_fmt = "yuv420p"
        self.stream.codec_context.time_base = self.stream.time_base = _CLOCK
        self.last = -1

    def add(self, rgb: "np.ndarray", time: float) -> None:
        import av

        width, height = self.size
        if rgb.shape[0] < height or rgb.shape[1] < width:
            rgb = np.pad(rgb, ((0, height - rgb.shape[0]), (0, width - rgb.shape[1]), (0, 0)))
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb[:height, :width]), "rgb24")
        self.last = frame.pts = max(self.last + 1, round(time / _CLOCK))
        frame.time_base = _CLOCK
        self.output.mux(self.stream.encode(frame))

    def finish(self) -> None:
        self.output.mux(self.stream.encode())


class _Sound:
    """The sound beside the picture, copied if its codec may stay and encoded as AAC otherwise."""

    def __init__(
        self, file: "InputContainer", output: "OutputContainer", wanted: bool, origin: float
    ) -> None:
        found = [s for s in file.streams.audio if s.codec_context] if wanted else []
        self.streams = found[:1]
        self.output, self.origin, self.last = output, origin, -1
        self.stream: Any = None
        self.copies = False
        if self.streams:
            source = self.streams[0]
            kind = "webm" if "webm" in output.format.name else "mp4"
            self.copies = source.codec_context.name in _PLAYED[kind][1]
            if self.copies:
                self.stream = output.add_stream_from_template(source)
            else:
                codec = "libopus" if kind == "webm" else "aac"
                rate = 48_000 if kind == "webm" else source.codec_context.sample_rate or 48_000
                self.stream = output.add_stream(codec, rate=min(rate, 48_000))

    def take(self, packet: "Packet[Any]") -> None:
        """Copy or encode a packet; damaged sound is left out."""
        import av

        if not packet.size or packet.dts is None or not packet.time_base:
            return
        shift = round(self.origin / float(packet.time_base))
        try:
            if not self.copies:
                for frame in packet.decode():
                    if frame.pts is not None and frame.time_base:
                        frame.pts -= round(self.origin / float(frame.time_base))
                        if frame.pts < 0:
                            continue
                    self.output.mux(self.stream.encode(frame))
                return
            packet.dts -= shift
            packet.pts = packet.dts if packet.pts is None else packet.pts - shift
            if packet.dts <= self.last or packet.pts < 0:
                return
            self.last = packet.dts
            packet.stream = self.stream
            self.output.mux(packet)
        except (av.FFmpegError, ValueError):
            return

    def finish(self) -> None:
        if self.stream is not None and not self.copies:
            self.output.mux(self.stream.encode())
