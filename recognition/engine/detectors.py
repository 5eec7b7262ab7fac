"""The detectors that people choose between: fast, balanced, thorough."""

from collections.abc import Sequence
from copy import copy
from typing import Self

import numpy as np

from .boxes import Floats, square
from .centerface import GRID, CenterFace
from .detector import FINAL_SCORE, FaceDetector, Found, MtcnnDetector, to_detections
from .mesh import FaceMesh
from .pyramid import Pixels, fit, halve_repeatedly
from .types import BoundingBox, Detection, DetectorName, Landmarks

SMALLEST_FACE: dict[DetectorName, int] = {"fast": 32, "balanced": 24, "thorough": 24}
"""The longer side in pixels of the smallest face that each looks for in a photo unless told."""


def open_detector(
    name: DetectorName = "balanced",
    *,
    min_face: int = 0,
    max_side: int = 1280,
    second_look: bool = True,
) -> FaceDetector:
    """The detector of this name; by default for photos, with its own smallest face."""
    smallest = min_face or SMALLEST_FACE[name]
    mtcnn = MtcnnDetector(smallest, max_side, second_look=second_look)
    return mtcnn if name == "fast" else JointDetector(mtcnn, thorough=name == "thorough")


class JointDetector:
    """CenterFace proposes faces, and MTCNN's second and third network finish those they know.

    What MTCNN doesn't know, because a mask hides the mouth or the head is turned, counts if
    CenterFace is sure of it, or if it is nearly sure and the mesh network sees a face there too
    (benchmarks/found_faces.py has the figures). `thorough` looks closer, and has MTCNN search by
    itself as well, as is done in pictures too large for CenterFace.
    """

    def __init__(self, mtcnn: MtcnnDetector, *, thorough: bool = False, threads: int = 1) -> None:
        self._mtcnn = mtcnn
        self._thorough = thorough
        self._eye = CenterFace(threads)
        self._judge = FaceMesh(threads)

    def with_min_face(self, min_face: int) -> Self:
        """A detector with another smallest face that shares this one's networks."""
        return self._with(self._mtcnn.with_min_face(min_face))

    def with_max_side(self, max_side: int) -> Self:
        """A detector with another `max_side` that shares this one's networks."""
        return self._with(self._mtcnn.with_max_side(max_side))

    def _with(self, mtcnn: MtcnnDetector) -> Self:
        other = copy(self)
        other._mtcnn = mtcnn
        return other

    def detect(self, rgb: Pixels) -> list[Detection]:
        """Every face in a uint8 [height, width, 3] image, largest first, in image pixels."""
        if max(rgb.shape[:2]) < _SMALLEST_PICTURE:
            return self._mtcnn.detect(rgb)
        working = fit(rgb, self._mtcnn.max_side)
        found = self._mtcnn.look_again(working, self._find(working))
        return to_detections(found, working, rgb)

    def follow(self, rgb: Pixels, boxes: Sequence[BoundingBox]) -> list[Detection]:
        """As MTCNN follows: a covered face may be lost, and the frame is then searched."""
        return self._mtcnn.follow(rgb, boxes)

    def _find(self, working: Pixels) -> Found:
        """The faces of a picture of working size."""
        side = _side_for(working, self._thorough)
        boxes, scores, points = self._eye.find(working, side, _PROPOSED)
        octaves = halve_repeatedly(working)
        min_face = self._mtcnn.min_face
        if self._thorough or max(working.shape[:2]) > _LARGEST:
            known = self._mtcnn.find(working, min_face)
        else:
            known = self._mtcnn.judge(octaves, square(boxes), min_face, FINAL_SCORE)
        large = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0) >= min_face
        new = large & (scores >= _DOUBTFUL) & ~_overlap(boxes, known[0])
        unsure = np.flatnonzero(new & (scores < _SURE))
        for index in unsure:
            new[index] = self._shows_face(working, points[index])
        return tuple(  # type: ignore[return-value]
            np.concatenate([ours, theirs[new]])
            for ours, theirs in zip(known, (boxes, scores, points), strict=True)
        )

    def _shows_face(self, working: Pixels, points: Floats) -> bool:
        """Whether the mesh network sees a face at these landmarks [5, 2]."""
        landmarks = Landmarks(*(tuple(point) for point in points.tolist()))
        return self._judge.read(working, landmarks).score >= _SEEN


# CenterFace's scores: what MTCNN's networks look at, what the mesh network judges, what counts
# alone.
_PROPOSED = 0.05
_DOUBTFUL = 0.25
_SURE = 0.6
_SEEN = 0.3  # of the mesh network; other things than faces stay below 0.03

# Crops of faces as small as FER2013's are read better the way MTCNN frames them, or whole.
_SMALLEST_PICTURE = 64

# How many pixels CenterFace looks at: three quarters of a side, as far as time allows. 190,000 take
# as long as MTCNN's search of 640 x 640; half the side of a large photo shows faces of 24 pixels.
_PIXELS = (190_000, 300_000)
_THOROUGH_PIXELS = 700_000
# The longest side up to which CenterFace sees every face at that size; in larger pictures, which
# are searched for small faces on request, MTCNN looks for them itself.
_LARGEST = 1600
_SAME = 0.4  # of the smaller box: more is the same face


def _side_for(working: Pixels, thorough: bool) -> int:
    """The longest side at which CenterFace looks at a working copy."""
    height, width = working.shape[:2]
    few, many = _PIXELS
    pixels = _THOROUGH_PIXELS if thorough else min(many, max(few, height * width / 4))
    scale: float = min(1.0 if thorough else 0.75, (pixels / (height * width)) ** 0.5)
    longest: int = max(height, width)
    return max(GRID, round(scale * longest))


def _overlap(boxes: Floats, others: Floats) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Which of the boxes [n, 4] share more than `_SAME` with one of the others [m, 4]."""
    if not len(others):
        return np.zeros(len(boxes), bool)
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = (high - low).clip(0).prod(axis=2)
    areas = [(some[:, 2:] - some[:, :2]).prod(axis=1) for some in (boxes, others)]
    smaller = np.minimum(areas[0][:, None], areas[1][None])
    return np.asarray((shared > _SAME * smaller).any(axis=1))
