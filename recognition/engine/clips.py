"""From a video to the tracks of its faces: read, follow, classify; and how its work is divided."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .classifier import EmotionClassifier
from .detector import FaceDetector
from .examiner import Examiner
from .follower import Follower
from .pipeline import analyze_frame, enlarge
from .shots import Look, is_cut, look_of
from .tracker import Tracker
from .types import Detail, TrackedFace
from .video import VideoHeader, interval_of, read_frames

MIN_FACE = {"normal": 60, "high": 24}
"""The smallest face to look for in pixels of a frame as it is read, by detail."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A sampled frame and its faces, in pixels of the upright video; `cut` begins a new shot.

    `rgb` is the frame as it was read, which may be smaller than the video, `look` that of shots.py.
    """

    number: int
    time: float
    cut: bool
    faces: tuple[TrackedFace, ...]
    rgb: NDArray[np.uint8]
    look: Look


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a video that can be read by itself: the frames within [start, end) seconds.

    `planned` are the instants to sample, `present` those of them for which the file has a frame.
    """

    start: float
    end: float
    first_number: int
    planned: int
    present: int


def sample_faces(
    path: Path,
    header: VideoHeader,
    detector: FaceDetector,
    classifier: EmotionClassifier,
    examiner: Examiner | None = None,
    *,
    fps: float | None = 5.0,
    detail: Detail = "normal",
    smoothing: float = 0.3,
    start: float = 0.0,
    end: float | None = None,
    first_number: int | None = None,
) -> Iterator[Sample]:
    """The faces of the frames that video.read_frames gives, with their tracks and smoothed.

    Tracks are numbered from 1 and end at cuts; `smoothing` in seconds. Raises MediaError.
    """
    tracker, last = Tracker(smoothing), None
    follower = Follower(tracker)
    for frame in read_frames(path, fps, start, end, first_number):
        look = look_of(frame.rgb)
        cut, last = last is not None and is_cut(last, look), look
        if cut:
            tracker.forget()
        looking = detector.with_min_face(follower.min_face(frame.time, MIN_FACE[detail]))
        hints = follower.hints(frame.time)
        result = analyze_frame(frame.rgb, looking, classifier, hints, examiner)
        tracked = tracker.update(result.faces, frame.time)
        faces = enlarge(result, header.width, header.height).faces
        yield Sample(
            frame.number,
            frame.time,
            cut,
            tuple(replace(old, face=face) for old, face in zip(tracked, faces, strict=True)),
            frame.rgb,
            look,
        )


def divide(
    header: VideoHeader,
    fps: float | None,
    start: float = 0.0,
    end: float | None = None,
    samples: int = 300,
) -> list[Stretch]:
    """The stretches between key frames into which a video's [start, end) is divided.

    Together they have every instant once; each has about `samples`, where key frames allow it.
    """
    end = header.seconds if end is None else min(end, header.seconds)
    times = header.times[(header.times >= start - 1e-6) & (header.times < end - 1e-6)]
    rate = fps or header.frame_rate
    bounds = [start]
    for key in header.key_times:
        # At 5 a second the instants lie between key frames; a boundary is never within one.
        bound = math.ceil(key * fps - 1e-6) / fps if fps else float(key)
        if (bound - bounds[-1]) * rate >= samples and (end - bound) * rate >= samples / 3:
            bounds.append(bound)
    return [
        _stretch(header, times, fps, begin, until)
        for begin, until in zip(bounds, [*bounds[1:], end], strict=True)
    ]


def _stretch(
    header: VideoHeader, times: NDArray[np.float64], fps: float | None, start: float, end: float
) -> Stretch:
    here = times[(times >= start - 1e-6) & (times < end - 1e-6)]
    first = int(np.searchsorted(header.times, start - 1e-6))
    if fps is None:
        return Stretch(start, end, first, len(here), len(here))
    present = len(np.unique(np.floor(here * fps + 1e-6)))
    planned = interval_of(end - 1e-5, fps) - interval_of(start, fps) + 1
    return Stretch(start, end, first, max(planned, present), present)
