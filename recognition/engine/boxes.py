"""Arithmetic with many boxes at once: [n, 4] as left, top, right, bottom."""

import numpy as np
from numpy.typing import NDArray

from .opencv import cv2

Floats = NDArray[np.float32]


def suppress(boxes: Floats, scores: Floats, overlap: float) -> NDArray[np.intp]:
    """Indices of boxes [n, 4] that no better box overlaps by more than `overlap`, best first.

    The overlap is intersection over union.
    """
    rectangles = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxes(rectangles.astype(float).tolist(), scores.tolist(), 0, overlap)
    return np.asarray(kept, dtype=np.intp)


def suppress_nested(boxes: Floats, scores: Floats, overlap: float) -> NDArray[np.intp]:
    """As suppress, but the overlap is intersection over the smaller of both boxes."""
    kept: list[int] = []
    for index in np.argsort(-scores, kind="stable").tolist():
        better = boxes[kept]
        size = np.minimum(better[:, 2:], boxes[index, 2:]) - np.maximum(
            better[:, :2], boxes[index, :2]
        )
        smaller = np.minimum(_area(better), _area(boxes[index]))
        if (size.clip(0).prod(axis=1) <= overlap * smaller).all():
            kept.append(index)
    return np.array(kept, dtype=np.intp)


def _area(boxes: Floats) -> Floats:
    area: Floats = (boxes[..., 2:] - boxes[..., :2]).prod(axis=-1)
    return area


def move(boxes: Floats, offsets: Floats) -> Floats:
    """Boxes [n, 4] with each corner moved by a fraction of the box's size."""
    size = boxes[:, 2:] - boxes[:, :2]
    return boxes + offsets * np.tile(size, 2)


def square(boxes: Floats) -> Floats:
    """Boxes [n, 4] grown around their centers to squares of their longer side."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True, initial=0) / 2
    return np.concatenate([center - half, center + half], axis=1)


def turn_back(points: Floats, turns: int, width: int, height: int) -> Floats:
    """Points [..., 2] of an image turned by np.rot90, in the original image of the given size."""
    x, y = points[..., 0], points[..., 1]
    turned = {0: (x, y), 1: (width - y, x), 2: (width - x, height - y), 3: (y, height - x)}[turns]
    return np.stack(turned, axis=-1)
