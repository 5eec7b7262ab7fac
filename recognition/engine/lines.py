"""What `python -m recognition.engine` prints of each photo and each sampled frame of a video.

Its other processes import this module: what is defined in `__main__` can't be sent to them.
"""

import os
import sys
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

from . import video
from .classifier import SHIPPED_INT8, SHIPPED_MODEL, EmotionClassifier
from .clips import sample_faces
from .detector import FaceDetector
from .detectors import open_detector
from .emotions import EMOTIONS
from .errors import MediaError
from .examiner import Examiner
from .libav import READ_SIDE
from .measures import MEASURES
from .pipeline import analyze_photo
from .precision import AUTO, INT8, preferred
from .types import Detail, DetectorName, Face, FaceMode, ImageAnalysis

Line = dict[str, Any]

STANDARD_INPUT = "-"


def list_lines(read: "partial[Iterator[Line]]", name: str) -> list[Line]:
    """All lines of a file."""
    return list(read(name))


@cache
def open_networks(
    min_face: int | None, detector: DetectorName
) -> tuple[FaceDetector, EmotionClassifier, Examiner]:
    """This process's networks for photos. Raises ModelError."""
    looking = open_detector(detector, min_face=min_face or 0)
    return looking, open_classifier(), Examiner(irises=True)


@cache
def _video_networks(detector: DetectorName) -> tuple[FaceDetector, EmotionClassifier, Examiner]:
    """Without a second look: videos are upright, and turned searches are slow."""
    looking = open_detector(detector, max_side=READ_SIDE, second_look=False)
    return looking, open_classifier(), Examiner()


def open_classifier() -> EmotionClassifier:
    """The shipped one, in the numbers of MIEN_PRECISION."""
    wanted = os.environ.get("MIEN_PRECISION") or AUTO
    return EmotionClassifier(SHIPPED_INT8 if preferred(wanted) == INT8 else SHIPPED_MODEL)


def read_lines(
    name: str,
    min_face: int | None,
    faces: FaceMode,
    detail: Detail,
    detector: DetectorName | None,
    animations: bool,
    **sampling: Any,
) -> Iterator[Line]:
    """A line for a photo, or one for each sampled frame of a video, or for what is wrong."""
    try:
        if name != STANDARD_INPUT and _is_video(Path(name), animations):
            yield from _read_video(name, detail, detector or "fast", **sampling)
            return
        source = sys.stdin.buffer.read() if name == STANDARD_INPUT else Path(name)
        looking, classifier, examiner = open_networks(min_face, detector or "balanced")
        found = analyze_photo(
            source, looking, classifier, faces=faces, detail=detail, examiner=examiner
        )
        yield _line(name, found, None)
    except MediaError as error:
        yield _line(name, None, {"code": error.code, "message": error.message})
    except Exception as error:  # one bad file must not stop the rest
        message = f"The file could not be read: {error!r}"
        yield _line(name, None, {"code": "unexpected", "message": message})


def _is_video(path: Path, animations: bool) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(video.HEAD_BYTES)
    container = video.sniff(head)
    return container is not None and (animations or container not in video.ANIMATIONS)


def _read_video(
    name: str, detail: Detail, detector: DetectorName, **sampling: Any
) -> Iterator[Line]:
    path = Path(name)
    header = video.inspect_video(path)
    networks = _video_networks(detector)
    for sample in sample_faces(path, header, *networks, detail=detail, **sampling):
        faces = [
            {
                "track": tracked.track,
                **_face(tracked.face),
                "smoothed": _rounded(dict(zip(EMOTIONS, tracked.smoothed, strict=True)), 6),
            }
            for tracked in sample.faces
        ]
        yield {
            "file": name,
            "width": header.width,
            "height": header.height,
            "frame": sample.number,
            "time": round(sample.time, 4),
            "cut": sample.cut,
            "faces": faces,
            "error": None,
        }


def _line(name: str, analysis: ImageAnalysis | None, error: dict[str, str] | None) -> Line:
    return {
        "file": name,
        "width": analysis.width if analysis else None,
        "height": analysis.height if analysis else None,
        "faces": [_face(face) for face in analysis.faces] if analysis else [],
        "milliseconds": _rounded(analysis.milliseconds, 2) if analysis else None,
        "error": error,
    }


def _face(face: Face) -> Line:
    box, marks = face.detection.box, face.detection.landmarks
    values = face.findings and face.findings.values
    return {
        "box": _rounded({side: getattr(box, side) for side in box.__slots__}, 2),
        "score": round(face.detection.score, 4),
        "landmarks": {
            name: [round(value, 2) for value in getattr(marks, name)] for name in marks.__slots__
        },
        "probabilities": _rounded(
            dict(zip(EMOTIONS, face.prediction.probabilities, strict=True)), 6
        ),
        "emotion": face.prediction.emotion,
        "whole_picture": face.whole_picture,
        "measures": values and dict(zip(MEASURES, values, strict=True)),
        "covered": face.findings and round(face.findings.covered, 3),
    }


def _rounded(values: dict[str, float], digits: int) -> dict[str, float]:
    return {name: round(value, digits) for name, value in values.items()}
