"""From a photo to its faces and their expressions: decode, detect, align, classify."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from .align import align_faces
from .classifier import EmotionClassifier
from .detector import FaceDetector
from .media import MAX_PIXELS, decode_photo
from .sharpness import measure_sharpness
from .types import BoundingBox, Detection, Face, ImageAnalysis, Landmarks, Point, Prediction

DECODE_SIDE = 1280
"""Large JPEGs are decoded at a reduced size whose longest side is at least this many pixels."""


def analyze_image(
    rgb: NDArray[np.uint8], detector: FaceDetector, classifier: EmotionClassifier
) -> ImageAnalysis:
    """Every face in a uint8 RGB [height, width, 3] image, in its pixels, and its expression."""
    started = perf_counter()
    return _classify(rgb, detector.detect(rgb), classifier, started)


def analyze_frame(
    rgb: NDArray[np.uint8],
    detector: FaceDetector,
    classifier: EmotionClassifier,
    hints: Sequence[BoundingBox] = (),
) -> ImageAnalysis:
    """Like analyze_image, for a frame soon after one whose faces were in the boxes `hints`.

    Those faces are followed, which is faster than a search; no others are looked for while all are
    still there. If any is lost, or without hints, the whole frame is searched.
    """
    started = perf_counter()
    detections = detector.follow(rgb, hints) if hints else []
    if not hints or len(detections) < len(hints):
        detections = detector.detect(rgb)
    return _classify(rgb, detections, classifier, started)


def _classify(
    rgb: NDArray[np.uint8],
    detections: list[Detection],
    classifier: EmotionClassifier,
    started: float,
) -> ImageAnalysis:
    """The detections made since `started`, classified."""
    detected = perf_counter()
    faces = align_faces(rgb, [detection.landmarks for detection in detections])
    probabilities = classifier.predict(faces)
    classified = perf_counter()
    predictions = [Prediction(tuple(row)) for row in probabilities.tolist()]
    height, width = rgb.shape[:2]
    return ImageAnalysis(
        width=width,
        height=height,
        faces=tuple(
            Face(detection, prediction, measure_sharpness(face))
            for detection, prediction, face in zip(detections, predictions, faces, strict=True)
        ),
        milliseconds={
            "decode": 0.0,
            "detect": (detected - started) * 1000,
            "classify": (classified - detected) * 1000,
        },
    )


def analyze_photo(
    source: bytes | Path,
    detector: FaceDetector,
    classifier: EmotionClassifier,
    *,
    max_pixels: int = MAX_PIXELS,
) -> ImageAnalysis:
    """Every face in a photo file, in pixels of the upright original, and its expression.

    Raises MediaError like media.decode_photo.
    """
    started = perf_counter()
    rgb, header = decode_photo(source, min_side=DECODE_SIDE, max_pixels=max_pixels)
    decoded = perf_counter()
    analysis = analyze_image(rgb, detector, classifier)
    return replace(
        analysis,
        width=header.width,
        height=header.height,
        faces=_enlarge(analysis, header.width, header.height),
        milliseconds={**analysis.milliseconds, "decode": (decoded - started) * 1000},
    )


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

    return tuple(replace(face, detection=detection(face.detection)) for face in analysis.faces)
