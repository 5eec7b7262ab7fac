"""The values that the parts of the engine pass to each other."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from .emotions import EMOTIONS

if TYPE_CHECKING:
    from .examiner import Findings

Point = tuple[float, float]


FaceMode = Literal["auto", "detect", "whole"]
"""Whether a picture is taken for one face: if it looks like a face crop, never, or always."""

Detail = Literal["normal", "high"]
"""Whether a large photo is scaled down before it is searched, or searched for small faces too."""

DetectorName = Literal["fast", "balanced", "thorough"]
"""How faces are found (detectors.py): MTCNN alone; CenterFace proposing, MTCNN judging; both."""

FACE_MODES: tuple[FaceMode, ...] = get_args(FaceMode)
DETECTORS: tuple[DetectorName, ...] = get_args(DetectorName)
DETAILS: tuple[Detail, ...] = get_args(Detail)


@dataclass(frozen=True, slots=True)
class BoundingBox:
    """A rectangle in pixels of the upright original photo; x, y is its top-left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Five points (x, y) of a face in pixels of the upright photo; pixel centers are whole.

    Left means left in the picture; for a face on its side, in the picture turned upright.
    """

    left_eye: Point
    right_eye: Point
    nose: Point
    mouth_left: Point
    mouth_right: Point


@dataclass(frozen=True, slots=True)
class Detection:
    """A face that a detector found; `score` in 0..1 is the detector's confidence."""

    box: BoundingBox
    score: float
    landmarks: Landmarks


@dataclass(frozen=True, slots=True)
class Prediction:
    """The probabilities of the seven expressions, in EMOTIONS order, summing to 1."""

    probabilities: tuple[float, ...]

    @property
    def emotion(self) -> str:
        """The most probable expression."""
        return EMOTIONS[self.probabilities.index(self.probability)]

    @property
    def probability(self) -> float:
        """The probability of the most probable expression."""
        return max(self.probabilities)


@dataclass(frozen=True, slots=True)
class Face:
    """A detection, its expression, and its sharpness if measured; `findings` if it was examined.

    A `whole_picture` was read without a detected face in it.
    """

    detection: Detection
    prediction: Prediction
    sharpness: float | None = None
    whole_picture: bool = False
    findings: "Findings | None" = None


@dataclass(frozen=True, slots=True)
class TrackedFace:
    """A face in one of many frames.

    `track` is its number for as long as it stays in view; `smoothed` is the running
    average of its probabilities, in EMOTIONS order, summing to 1.
    """

    track: int
    face: Face
    smoothed: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ImageAnalysis:
    """Everything found in one photo.

    `width` and `height` are those of the upright original photo in pixels; `faces` are sorted
    largest first; `milliseconds` is wall time by step: decode, detect, classify, measure.
    """

    width: int
    height: int
    faces: tuple[Face, ...]
    milliseconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PhotoHeader:
    """A photo's header: format (Pillow's name, such as JPEG), size in pixels, animated or not.

    `inspect_photo` and `decode_photo` both give the upright size: EXIF orientation is applied.
    `pages` are those of a document; only decoding finds out that a photo is `incomplete`.
    """

    format: str
    width: int
    height: int
    animated: bool
    pages: int = 1
    incomplete: bool = False
