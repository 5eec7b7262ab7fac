"""From a photo to its faces and their expressions: decode, detect, align, classify."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from .align import MEAN, SIDE, align_faces
from .classifier import EmotionClassifier
from .contrast import gray_range, stretch_faint
from .detector import FaceDetector
from .examiner import Examiner, Findings
from .formats import MAX_PIXELS
from .media import decode_photo
from .opencv import cv2
from .sharpness import measure_sharpness
from .types import (
    BoundingBox,
    Detail,
    Detection,
    Face,
    FaceMode,
    ImageAnalysis,
    Landmarks,
    Point,
    Prediction,
)

DECODE_SIDE = 1280
"""Large JPEGs are decoded at a reduced size whose longest side is at least this many pixels."""

DETAIL_SIDE = 8192
"""With high detail, photos are searched at their full size up to this longest side in pixels."""

CROP_SIDE = 320
CROP_ASPECT = 1.5
CROP_CONTRAST = 16
"""Images up to this side, this ratio of the sides and with this range of gray may be crops."""


def analyze_image(
    rgb: NDArray[np.uint8],
    detector: FaceDetector,
    classifier: EmotionClassifier,
    faces: FaceMode = "auto",
    examiner: Examiner | None = None,
) -> ImageAnalysis:
    """Every face in a uint8 RGB [height, width, 3] image, in its pixels, and its expression.

    With `faces` as auto, an image without a detected face that looks like a face crop is read as
    one face; as whole, every image is; as detect, none is. An `examiner` also measures the faces.
    """
    started = perf_counter()
    if faces == "whole":
        return _read_whole(rgb, classifier, started, examiner)
    detections = detector.detect(rgb)
    if faces == "auto" and not detections and _looks_like_crop(rgb):
        return _read_whole(rgb, classifier, started, examiner)
    return _classify(rgb, detections, classifier, started, examiner)


def analyze_frame(
    rgb: NDArray[np.uint8],
    detector: FaceDetector,
    classifier: EmotionClassifier,
    hints: Sequence[BoundingBox] = (),
    examiner: Examiner | None = None,
) -> ImageAnalysis:
    """Like analyze_image, for a frame soon after one whose faces were in the boxes `hints`.

    Those faces are followed, which is faster than a search; no others are looked for while all are
    still there. If any is lost, or without hints, the whole frame is searched.
    """
    started = perf_counter()
    detections = detector.follow(rgb, hints) if hints else []
    if not hints or len(detections) < len(hints):
        detections = detector.detect(rgb)
    return _classify(rgb, detections, classifier, started, examiner)


def _looks_like_crop(rgb: NDArray[np.uint8]) -> bool:
    """Whether an image is small, nearly square, and shows anything at all, like FER2013's."""
    height, width = rgb.shape[:2]
    low, high = gray_range(rgb)
    return (
        max(height, width) <= CROP_SIDE
        and max(height, width) <= CROP_ASPECT * min(height, width)
        and high - low >= CROP_CONTRAST
    )


def _read_whole(
    rgb: NDArray[np.uint8],
    classifier: EmotionClassifier,
    started: float,
    examiner: Examiner | None,
) -> ImageAnalysis:
    """The whole image as one face, framed as it is; no detector has judged it (score 0)."""
    height, width = rgb.shape[:2]
    detected = perf_counter()
    gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(gray, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    face = np.asarray(small, dtype=np.uint8)
    (probabilities,) = classifier.predict(stretch_faint(face[None])).tolist()
    # Where faces framed like the classifier's own have them.
    x, y = width / SIDE, height / SIDE
    marks = Landmarks(*(((px + 0.5) * x - 0.5, (py + 0.5) * y - 0.5) for px, py in MEAN))
    found = Detection(BoundingBox(0.0, 0.0, float(width), float(height)), 0.0, marks)
    classified = perf_counter()
    (findings,) = _examine(rgb, [found], face[None], examiner)
    sharpness = measure_sharpness(face)
    read = Face(found, Prediction(tuple(probabilities)), sharpness, True, findings)
    return ImageAnalysis(width, height, (read,), _milliseconds(started, detected, classified))


def _examine(
    rgb: NDArray[np.uint8],
    detections: list[Detection],
    aligned: NDArray[np.uint8],
    examiner: Examiner | None,
) -> Sequence[Findings | None]:
    return examiner.examine(rgb, detections, aligned) if examiner else [None] * len(detections)


def _milliseconds(started: float, detected: float, classified: float) -> dict[str, float]:
    return {
        "decode": 0.0,
        "detect": (detected - started) * 1000,
        "classify": (classified - detected) * 1000,
        "measure": (perf_counter() - classified) * 1000,
    }


def _classify(
    rgb: NDArray[np.uint8],
    detections: list[Detection],
    classifier: EmotionClassifier,
    started: float,
    examiner: Examiner | None,
) -> ImageAnalysis:
    """The detections made since `started`, classified and examined."""
    detected = perf_counter()
    faces = align_faces(rgb, [detection.landmarks for detection in detections])
    probabilities = classifier.predict(stretch_faint(faces))
    predictions = [Prediction(tuple(row)) for row in probabilities.tolist()]
    classified = perf_counter()
    findings = _examine(rgb, detections, faces, examiner)
    height, width = rgb.shape[:2]
    return ImageAnalysis(
        width=width,
        height=height,
        faces=tuple(
            Face(detection, prediction, measure_sharpness(face), findings=found)
            for detection, prediction, face, found in zip(
                detections, predictions, faces, findings, strict=True
            )
        ),
        milliseconds=_milliseconds(started, detected, classified),
    )


def analyze_photo(
    source: bytes | Path,
    detector: FaceDetector,
    classifier: EmotionClassifier,
    *,
    max_pixels: int = MAX_PIXELS,
    faces: FaceMode = "auto",
    detail: Detail = "normal",
    examiner: Examiner | None = None,
) -> ImageAnalysis:
    """Every face in a photo file, in pixels of the upright original, and its expression.

    `faces` is as for analyze_image; with `detail` as high, large photos are searched at full size,
    up to `DETAIL_SIDE`, for small faces. Raises MediaError like media.decode_photo.
    """
    started = perf_counter()
    side = DECODE_SIDE if detail == "normal" else DETAIL_SIDE // 2
    rgb, header = decode_photo(source, min_side=side, max_pixels=max_pixels)
    decoded = perf_counter()
    analysis = analyze_image(rgb, for_detail(detector, detail), classifier, faces, examiner)
    analysis.milliseconds["decode"] = (decoded - started) * 1000
    return enlarge(analysis, header.width, header.height)


def for_detail(detector: FaceDetector, detail: Detail) -> FaceDetector:
    """The detector, or one that shares its networks and searches photos up to `DETAIL_SIDE`."""
    return detector if detail == "normal" else detector.with_max_side(DETAIL_SIDE)


def enlarge(analysis: ImageAnalysis, width: int, height: int) -> ImageAnalysis:
    """The analysis with its size and its faces scaled to another size in pixels."""
    return replace(analysis, width=width, height=height, faces=_enlarge(analysis, width, height))


def _enlarge(analysis: ImageAnalysis, width: int, height: int) -> tuple[Face, ...]:
    """The faces scaled from the analysis's size to the given one."""
    if (width, height) == (analysis.width, analysis.height):
        return analysis.faces
    x, y = width / analysis.width, height / analysis.height

    def point(value: Point) -> Point:
        # Points count from pixel centers.
        return (value[0] + 0.5) * x - 0.5, (value[1] + 0.5) * y - 0.5

    def detection(found: Detection) -> Detection:
        box, marks = found.box, found.landmarks
        return Detection(
            BoundingBox(box.x * x, box.y * y, box.width * x, box.height * y),
            found.score,
            Landmarks(*(point(getattr(marks, name)) for name in Landmarks.__slots__)),
        )

    def findings(found: Findings | None) -> Findings | None:
        return found and replace(found, mesh=found.mesh and found.mesh.scaled(x, y))

    return tuple(
        replace(face, detection=detection(face.detection), findings=findings(face.findings))
        for face in analysis.faces
    )
