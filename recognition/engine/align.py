"""Turns an image and landmarks into the 48x48 gray face that the classifier reads."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .opencv import cv2
from .types import Landmarks

SIDE = 48
"""Side in pixels of the faces that the classifier reads, as in FER2013."""

MEAN: NDArray[np.float64] = np.array(
    [[14.8, 17.6], [32.2, 17.6], [23.5, 28.0], [16.2, 37.0], [30.8, 37.0]]
)
# Faces fill the frame a little more than FER2013's do on average: accuracy is higher that way on
# faces framed by the detector (docs/explanation/how-the-model-was-made.md).
_ENLARGED = 1.1
_CENTER = (SIDE - 1) / 2

TEMPLATE: NDArray[np.float64] = _CENTER + _ENLARGED * (MEAN - _CENTER)
"""Left eye, right eye, nose, left and right mouth corner in a 48x48 face: [5, 2], x and y.

The average of FER2013's training faces (measured by weights/measure_framing.py), moved a tenth
farther from the center.
"""


def warp(image: NDArray[np.uint8], matrix: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Sample a 48x48 face out of an image.

    `image` is uint8 [height, width] or [height, width, 3]; `matrix` is the 2x3 affine map from
    image coordinates to face coordinates (pixel centers at whole numbers). Returns uint8 [48, 48]
    or [48, 48, 3]. Outside the image its edge is repeated. Where the map shrinks, every source
    pixel contributes (area sampling), so large faces don't alias.
    """
    to_face = np.asarray(matrix, dtype=np.float64)
    shrink = 1 / np.sqrt(max(abs(np.linalg.det(to_face[:, :2])), 1e-12))
    if shrink <= _PLAIN_SHRINK:
        return _sample(image, to_face, SIDE)
    block = round(shrink / _REDUCED_SHRINK)
    if block > 1:
        image, to_face = _reduce(image, to_face, block)
    fine = _sample(image, _rescale(to_face, _OVERSAMPLE, _OVERSAMPLE), SIDE * _OVERSAMPLE)
    return np.asarray(cv2.resize(fine, (SIDE, SIDE), interpolation=cv2.INTER_AREA), dtype=np.uint8)


# Up to this factor bilinear sampling doesn't alias visibly, and an unscaled face stays as it is.
_PLAIN_SHRINK = 1.05
_OVERSAMPLE = 2
# Whole blocks of pixels are averaged first (INTER_AREA's fast case); about this factor is left.
_REDUCED_SHRINK = 1.5


def _sample(image: NDArray[np.uint8], matrix: NDArray[np.float64], side: int) -> NDArray[np.uint8]:
    sampled = cv2.warpAffine(
        image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(sampled, dtype=np.uint8)


def _rescale(matrix: NDArray[np.float64], x: float, y: float) -> NDArray[np.float64]:
    """The same map with its target scaled by x and y; pixel corners stay, not pixel centers."""
    scaled = matrix * [[x], [y]]
    scaled[:, 2] += [(x - 1) / 2, (y - 1) / 2]
    return scaled


def _reduce(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], block: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Average the part of the image that the map uses in blocks; returns it with its new map."""
    height, width = image.shape[:2]
    to_image = cv2.invertAffineTransform(matrix)
    corners = np.array([[-1, -1, 1], [SIDE, -1, 1], [-1, SIDE, 1], [SIDE, SIDE, 1]]) @ to_image.T
    left, top = np.clip(np.floor(corners.min(axis=0)), 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(axis=0)) + block, [left, top], [width, height])
    columns = max(1, (int(right) - left) // block)
    rows = max(1, (int(bottom) - top) // block)
    part = image[top : top + rows * block, left : left + columns * block]
    reduced = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
    # A reduced pixel r covers the part's pixels around x * (r + 0.5) - 0.5.
    x, y = part.shape[1] / columns, part.shape[0] / rows
    from_reduced = np.array([[x, 0, (x - 1) / 2 + left], [0, y, (y - 1) / 2 + top], [0, 0, 1]])
    return np.asarray(reduced, dtype=np.uint8), matrix @ from_reduced


def estimate_similarity(
    source: NDArray[np.floating], target: NDArray[np.floating]
) -> NDArray[np.float64]:
    """The 2x3 similarity (scale, rotation, shift) that maps points [n, 2] closest to the target's.

    Least squares without reflection; source: Umeyama 1991, IEEE PAMI 13(4), equations 40-42.
    """
    source = np.asarray(source, dtype=np.float64)
    target = np.asarray(target, dtype=np.float64)
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    centered, wanted = source - source_mean, target - target_mean
    # In two dimensions there is a closed form: a = scale * cos, b = scale * sin.
    spread = max(float((centered**2).sum()), 1e-12)
    a = float((centered * wanted).sum()) / spread
    b = float((centered[:, 0] * wanted[:, 1] - centered[:, 1] * wanted[:, 0]).sum()) / spread
    turn = np.array([[a, -b], [b, a]])
    return np.column_stack([turn, target_mean - turn @ source_mean])


def align_face(rgb: NDArray[np.uint8], landmarks: Landmarks) -> NDArray[np.uint8]:
    """The face with these landmarks, framed as FER2013 frames faces: uint8 gray [48, 48].

    `rgb` is uint8 [height, width, 3]; the landmarks are in its pixels.
    """
    points = np.array(
        [
            landmarks.left_eye,
            landmarks.right_eye,
            landmarks.nose,
            landmarks.mouth_left,
            landmarks.mouth_right,
        ]
    )
    face = warp(rgb, estimate_similarity(points, TEMPLATE))
    # ITU-R 601 luma, the usual gray of FER2013's time.
    return np.asarray(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def align_faces(rgb: NDArray[np.uint8], landmarks: Sequence[Landmarks]) -> NDArray[np.uint8]:
    """Every face with these landmarks: uint8 gray [n, 48, 48], also for n = 0."""
    faces = [align_face(rgb, points) for points in landmarks]
    return np.stack(faces) if faces else np.empty((0, SIDE, SIDE), dtype=np.uint8)
