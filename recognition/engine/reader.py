"""A process that reads videos for another one: python -m recognition.engine.reader

Takes one request per line as JSON and answers each with lines of JSON, the last of which has
`done` or `error`. It never opens a video itself: it forks a confined child for each, so that one
made to do harm reaches no other file and ends no more than that child.
"""

import base64
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import confinement
from .annotate import painter, read_marks
from .blur import blurrer, read_places
from .classifier import SHIPPED_MODEL, EmotionClassifier
from .clips import Sample, divide, sample_faces
from .confinement import Limits, libraries
from .detector import FaceDetector
from .detectors import open_detector
from .errors import CodedError, MediaError
from .examiner import Examiner
from .libav import READ_SIDE
from .media import encode_jpeg, make_thumbnail
from .opencv import cv2
from .playable import copy_playable, media_type_of
from .types import BoundingBox, DetectorName
from .video import VideoHeader, inspect_video, read_frames

Line = dict[str, Any]

# ONNX Runtime chooses its code by the processor.
READABLE = [*libraries(), Path("/proc/cpuinfo"), Path("/sys/devices/system/cpu")]
PICTURE_SIDE = 96  # of a track's face


def main() -> int:
    """Answer requests until there are no more; the limits in MB are the arguments."""
    confinement.end_with_parent()
    os.nice(int(os.environ.get("MIEN_NICENESS", "0")))
    memory, file_size = (int(text) * 1024**2 for text in sys.argv[1:3])
    limits = {"RLIMIT_AS": memory, "RLIMIT_FSIZE": file_size, "RLIMIT_CORE": 0}
    child: _Child | None = None
    for text in sys.stdin:
        request = json.loads(text)
        names = ("path", "model", "marks", "places")
        readable = [Path(request[name]) for name in names if request.get(name)]
        writable = [Path(request["target"])] if request.get("target") else []
        if child is None or child.files != (readable, writable):
            if child:
                child.end()
            child = _Child(readable, writable, limits)
        if not child.ask(text):
            return 1
    return 0


class _Child:
    """A fork that may open these files and nothing else: it reads one video, and no other."""

    def __init__(self, readable: list[Path], writable: list[Path], limits: Limits) -> None:
        self.files = readable, writable
        theirs, ours = os.pipe()
        ended, acknowledge = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(ours)
            os.close(ended)
            status = 1
            try:
                confinement.end_with_parent()
                for path in writable:
                    path.touch(mode=0o600)
                confinement.confine(limits, [*READABLE, *readable], writable)
                status = _answer_all(theirs, acknowledge)
            finally:
                sys.stdout.flush()
                os._exit(status)
        os.close(theirs)
        os.close(acknowledge)
        self._requests, self._ended = ours, ended

    def ask(self, text: str) -> bool:
        """Pass a request on and wait until it is answered; False if the child died of it."""
        with suppress(BrokenPipeError):
            os.write(self._requests, text.encode())
        return bool(os.read(self._ended, 1))

    def end(self) -> None:
        os.close(self._requests)
        os.waitpid(self.pid, 0)
        os.close(self._ended)


def _answer_all(requests: int, acknowledge: int) -> int:
    """In a child: answer each request, with a byte after the last line."""
    with os.fdopen(requests) as texts:
        for text in texts:
            request = json.loads(text)
            number = request.pop("number")
            try:
                for line in answer(request):
                    _print(number, line)
                _print(number, {"done": True})
            except CodedError as error:
                _print(number, {"error": {"code": error.code, "message": error.message}})
            except MemoryError:
                message = "Reading this video takes more memory than is allowed. Send it smaller."
                _print(number, {"error": {"code": "video_too_large", "message": message}})
                return 1  # what is left of its memory may be too little for the next request
            os.write(acknowledge, b".")
    return 0


def _print(number: int, line: Line) -> None:
    """A line of the answer to the request with this number."""
    sys.stdout.write(json.dumps({"to": number, **line}, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def answer(request: Line) -> Iterator[Line]:
    """The lines that answer a request, without the last. Raises CodedError."""
    actions: dict[str, Callable[..., Iterator[Line]]]
    actions = {"inspect": _inspect, "read": _read, "copy": _copy}
    actions |= {"annotate": _annotate, "blur": _blur}
    yield from actions[request.pop("do")](Path(request.pop("path")), **request)


def _inspect(
    path: Path, fps: float | None, start: float, end: float | None, samples: int
) -> Iterator[Line]:
    """The header, the stretches to read, and a small picture."""
    header = inspect_video(path)
    if start >= header.seconds:
        raise MediaError(
            "start_after_end",
            f"The video is {header.seconds:.1f} s long, so nothing is left after {start:g} s.",
        )
    facts = {name: getattr(header, name) for name in VideoHeader.__slots__}
    del facts["times"], facts["key_times"]
    facts |= {"frames": header.frames, "frame_rate": header.frame_rate}
    yield {
        "header": facts,
        "stretches": [asdict(part) for part in divide(header, fps, start, end, samples)],
    }
    yield {"thumbnail": base64.b64encode(make_thumbnail(_poster(path, header, start))).decode()}


def _poster(path: Path, header: VideoHeader, start: float) -> NDArray[np.uint8]:
    """A frame that shows something: films often begin black."""
    poster: NDArray[np.uint8] | None = None
    for frame in read_frames(path, 1.0, start, start + 10):
        if poster is None:
            poster = frame.rgb
        if frame.rgb.std() > 16:
            return frame.rgb
    if poster is None:
        raise MediaError("no_frames", "No frame of this video can be decoded.")
    return poster


def _read(
    path: Path,
    model: str | None,
    width: int,
    height: int,
    detector: DetectorName = "fast",
    examining: dict[str, Any] | None = None,
    **options: Any,
) -> Iterator[Line]:
    """A line for each sample, and at the end a picture of each track."""
    networks = _detector(detector), _classifier(model), _examiner(**(examining or {}))
    header = VideoHeader("", "", width, height, 0.0, np.empty(0), np.empty(0))
    pictures = _Pictures(header)
    for sample in sample_faces(path, header, *networks, **options):
        pictures.note(sample)
        yield {
            "number": sample.number,
            "time": round(sample.time, 4),
            "cut": sample.cut,
            "faces": [_face(tracked) for tracked in sample.faces],
            "look": base64.b64encode(sample.look.tobytes()).decode(),
        }
    yield {"pictures": pictures.encoded()}


def _face(tracked: Any) -> list[Any]:
    face, found = tracked.face, tracked.face.findings
    box = face.detection.box
    return [
        tracked.track,
        *(round(side, 1) for side in (box.x, box.y, box.width, box.height)),
        round(face.detection.score, 3),
        None if face.sharpness is None else round(face.sharpness, 2),
        [round(value, 4) for value in face.prediction.probabilities],
        found and found.values,
        found and round(found.covered, 3),
    ]


class _Pictures:
    """The best view of each track."""

    def __init__(self, header: VideoHeader) -> None:
        self.header = header
        self.best: dict[int, tuple[float, NDArray[np.uint8]]] = {}

    def note(self, sample: Sample) -> None:
        for tracked in sample.faces:
            detection = tracked.face.detection
            worth = detection.score * min(detection.box.width, detection.box.height)
            # Not for every pixel that a face grows.
            if worth > 1.1 * self.best.get(tracked.track, (0.0, None))[0]:
                picture = _cut_out(sample.rgb, self.header, detection.box)
                self.best[tracked.track] = worth, picture

    def encoded(self) -> dict[int, str]:
        return {track: _encoded(picture) for track, (_worth, picture) in self.best.items()}


def _cut_out(rgb: NDArray[np.uint8], header: VideoHeader, box: BoundingBox) -> NDArray[np.uint8]:
    """A square picture around a face."""
    scale = rgb.shape[1] / header.width
    half = 0.65 * max(box.width, box.height) * scale
    x, y = (box.x + box.width / 2) * scale, (box.y + box.height / 2) * scale
    left, top = max(0, round(x - half)), max(0, round(y - half))
    part = rgb[top : max(top + 1, round(y + half)), left : max(left + 1, round(x + half))]
    small = cv2.resize(part, (PICTURE_SIDE, PICTURE_SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)


def _copy(path: Path, target: str, audio: bool) -> Iterator[Line]:
    """Writes a copy that browsers play; lines tell its kind and the share that is done."""
    yield {"kind": media_type_of(path).removeprefix("video/")}
    for share in copy_playable(path, Path(target), audio=audio):
        yield {"share": round(share, 4)}


def _annotate(path: Path, target: str, marks: str, width: int, step: float) -> Iterator[Line]:
    """Writes an MP4 with the faces of a file of marks; lines tell the share that is done."""
    draw = painter(read_marks(Path(marks)), width, step)
    for share in copy_playable(path, Path(target), draw=draw):
        yield {"share": round(share, 4)}


def _blur(
    path: Path, target: str, places: str, width: int, step: float, audio: bool
) -> Iterator[Line]:
    """Writes an MP4 without recognizable faces; lines tell the share that is done."""
    yield {"kind": "mp4"}
    draw = blurrer(read_places(Path(places)), width, step)
    for share in copy_playable(path, Path(target), audio=audio, draw=draw):
        yield {"share": round(share, 4)}


def _encoded(rgb: NDArray[np.uint8]) -> str:
    return base64.b64encode(encode_jpeg(rgb)).decode()


@cache
def _detector(name: DetectorName) -> FaceDetector:
    return open_detector(name, max_side=READ_SIDE, second_look=False)


@cache
def _examiner(**options: Any) -> Examiner:
    return Examiner(**options)


@cache
def _classifier(model: str | None) -> EmotionClassifier:
    return EmotionClassifier(Path(model) if model else SHIPPED_MODEL)


if __name__ == "__main__":
    sys.exit(main())
