"""Finds faces and their five landmarks: the detector protocol and MTCNN on ONNX Runtime."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from .sessions import open_session
from .types import BoundingBox, Detection, Landmarks

WEIGHTS = Path(__file__).parent / "weights"

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
# Boxes [n, 4] as left, top, right, bottom; scores [n]; landmarks [n, 5, 2].
Found = tuple[Floats, Floats, Floats]


class FaceDetector(Protocol):
    """Whatever finds faces."""

    def detect(self, rgb: Pixels) -> list[Detection]:
        """Every face in a uint8 [height, width, 3] image, the largest first, in its pixels."""
        ...


class MtcnnDetector:
    """MTCNN: three small networks that propose, refine and finish boxes with five landmarks.

    Zhang et al. 2016, "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional
    Networks" (arXiv 1604.02878), section 2. A photo whose longest side exceeds `max_side` pixels is
    looked at in that size; faces whose longer side is under `min_face` pixels there are not
    reported. With `second_look`, quarter turns of the photo are searched too where no face is found
    for sure: photos lie on their side or stand on their head.
    """

    def __init__(
        self,
        min_face: int = 32,
        max_side: int = 1280,
        threads: int = 1,
        *,
        second_look: bool = True,
    ) -> None:
        if min_face < _CELL:
            raise ValueError(f"min_face must be at least {_CELL} pixels.")
        if max_side < min_face:
            raise ValueError("max_side must not be smaller than min_face.")
        self.min_face = min_face
        self.max_side = max_side
        self.second_look = second_look
        self._proposals = open_session(WEIGHTS / "pnet.onnx", threads)
        self._refinement = open_session(WEIGHTS / "rnet.onnx", threads)
        self._output = open_session(WEIGHTS / "onet.onnx", threads)

    def detect(self, rgb: Pixels) -> list[Detection]:
        """Every face in a uint8 [height, width, 3] image, the largest first, in its pixels.

        Landmarks are named as in the upright face, so that a face lying on its side aligns too.
        """
        height, width = rgb.shape[:2]
        working = _fit(rgb, self.max_side)
        boxes, scores, points = self._find(working, self.min_face, _FINAL_SCORE)
        if self.second_look and not _is_sure(boxes, scores, points):
            turned, level = self._look_at_turned(working)
            # On its side a face is often found too, but with landmarks that are not its own.
            if level > _levelness(boxes, points).sum():
                boxes, scores, points = turned
        # Both axes on their own: rounding the working size may stretch it by a part of a pixel.
        ratio = np.array([width / working.shape[1], height / working.shape[0]], dtype=np.float32)
        boxes = (boxes.reshape(-1, 2, 2) * ratio).clip(0, [width, height])
        # Landmarks count from pixel centers, boxes from pixel corners.
        points = points * ratio - 0.5
        found = [_detection(*face) for face in zip(boxes, scores, points, strict=True)]
        return sorted(found, key=lambda face: face.box.width * face.box.height, reverse=True)

    def _find(self, image: Pixels, min_face: float, final_score: float) -> Found:
        """The faces of at least `min_face` pixels in the image as it is."""
        octaves = _halve_repeatedly(image)
        boxes = self._propose(octaves, min_face)
        boxes = self._refine(octaves, boxes)
        boxes, scores, points = self._finish(octaves, boxes, final_score)
        large = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0) >= min_face
        return boxes[large], scores[large], points[large]

    def _look_at_turned(self, working: Pixels) -> tuple[Found, float]:
        """The faces of the quarter turn in which they stand most upright, and how level they are.

        Searched in a smaller copy, for sure faces only; given in working pixels.
        """
        small = _fit(working, _SECOND_LOOK_SIDE)
        min_face = max(_SECOND_LOOK_FACE, self.min_face * small.shape[1] / working.shape[1])
        best, best_turns, best_level = _NOTHING, 0, 0.0
        for turns in (1, 2, 3):
            found = self._find(np.ascontiguousarray(np.rot90(small, turns)), min_face, _SURE)
            level = float(_levelness(found[0], found[2]).sum())
            if _is_sure(*found) and level > best_level:
                best, best_turns, best_level = found, turns, level
        boxes, scores, points = best
        height, width = small.shape[:2]
        corners = _turn_back(boxes.reshape(-1, 2, 2), best_turns, width, height)
        boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
        points = _turn_back(points, best_turns, width, height)
        ratio = np.array([working.shape[1] / width, working.shape[0] / height], dtype=np.float32)
        return (boxes * np.tile(ratio, 2), scores, points * ratio), best_level

    def _propose(self, octaves: list[Pixels], min_face: float) -> Floats:
        """Square boxes [n, 4] where the first network sees faces, over all sizes (section 2.1)."""
        found, found_scores = [_NOTHING[0]], [_NOTHING[1]]
        for level, ratio in _pyramid(octaves, _CELL / min_face):
            boxes, scores = self._scan(level)
            kept = suppress(boxes, scores, 0.5)
            found.append(boxes[kept] * np.tile(ratio, 2))
            found_scores.append(scores[kept])
        boxes = np.concatenate(found)
        return _square(boxes[suppress(boxes, np.concatenate(found_scores), 0.7)])

    def _scan(self, level: Pixels) -> tuple[Floats, Floats]:
        """Boxes [n, 4] and scores [n] of the cells of one level in which a face is likely."""
        found, found_scores = [_NOTHING[0]], [_NOTHING[1]]
        for top, strip in _strips(level):
            scores, offsets = self._proposals.run(["scores", "offsets"], {"images": strip[None]})
            rows, columns = np.nonzero(scores[0, 0] > _PROPOSAL_SCORE)
            corner = np.stack([columns * _STRIDE, rows * _STRIDE + top], axis=1)
            cells = np.concatenate([corner, corner + _CELL], axis=1).astype(np.float32)
            found.append(cells + offsets[0, :, rows, columns] * _CELL)
            found_scores.append(scores[0, 0, rows, columns])
        return np.concatenate(found), np.concatenate(found_scores)

    def _refine(self, octaves: list[Pixels], boxes: Floats) -> Floats:
        """The square boxes [n, 4] that the second network keeps, moved as it says."""
        if len(boxes) == 0:
            return boxes
        scores, offsets = _run(self._refinement, _crop(octaves, boxes, 24), ["scores", "offsets"])
        kept = scores[:, 0] > _REFINED_SCORE
        boxes = _move(boxes[kept], offsets[kept])
        return _square(boxes[suppress(boxes, scores[kept, 0], 0.7)])

    def _finish(self, octaves: list[Pixels], boxes: Floats, final_score: float) -> Found:
        """Final boxes [n, 4], scores [n] and landmarks [n, 5, 2] by the third network."""
        if len(boxes) == 0:
            return _NOTHING
        outputs = ["scores", "offsets", "landmarks"]
        scores, offsets, landmarks = _run(self._output, _crop(octaves, boxes, 48), outputs)
        kept = scores[:, 0] > final_score
        boxes, scores = boxes[kept], scores[kept, 0]
        # Five x, then five y, as parts of the crop.
        points = landmarks[kept].reshape(-1, 2, 5).transpose(0, 2, 1)
        points = boxes[:, None, :2] + points * (boxes[:, None, 2:] - boxes[:, None, :2])
        boxes = _move(boxes, offsets[kept])
        best = suppress_nested(boxes, scores, 0.7)
        return boxes[best], scores[best], points[best]


# Fixed by the first network's layers: it looks at cells of 12 pixels, one every 2 pixels.
_CELL = 12
_STRIDE = 2
# The networks run on pieces of about this many pixels: their intermediate values then stay in the
# cache and in memory that is used again, which makes large photos three times faster.
_PIECE = 40_000
# From one size to the next; half the area, as in the paper's code.
_PYRAMID_STEP = 0.709
_PROPOSAL_SCORE = 0.7
_REFINED_SCORE = 0.7
_FINAL_SCORE = 0.8
# Upright faces score higher than this almost always, turned ones hardly ever.
_SURE = 0.97
_LEVEL = 0.3
_SECOND_LOOK_SIDE = 480
_SECOND_LOOK_FACE = 32
_NOTHING: Found = (
    np.empty((0, 4), np.float32),
    np.empty(0, np.float32),
    np.empty((0, 5, 2), np.float32),
)


def suppress(boxes: Floats, scores: Floats, overlap: float) -> NDArray[np.intp]:
    """Indices of boxes [n, 4] that no better box overlaps by more than `overlap`, the best first.

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


def _levelness(boxes: Floats, points: Floats) -> Floats:
    """How far the eyes are apart along the picture's rows, as a part of the box's width: [n].

    About 0.4 for a face seen from the front; less for one that is tilted, seen from the side, or
    on its side with landmarks that are not its own.
    """
    level: Floats = (points[:, 1, 0] - points[:, 0, 0]) / (boxes[:, 2] - boxes[:, 0])
    return level.clip(0)


def _is_sure(boxes: Floats, scores: Floats, points: Floats) -> bool:
    """Whether at least one face is sure enough that the picture must be upright."""
    return bool(((scores >= _SURE) & (_levelness(boxes, points) >= _LEVEL)).any())


def _fit(rgb: Pixels, side: int) -> Pixels:
    """The image, scaled down if its longest side exceeds `side`; contiguous."""
    longest = max(rgb.shape[:2])
    if longest <= side:
        return np.ascontiguousarray(rgb)
    # Halving averages every pixel at a quarter of the price of one step with INTER_AREA.
    while longest >= 2 * side:
        rgb = _halve(rgb)
        longest = max(rgb.shape[:2])
    height, width = (max(1, round(length * side / longest)) for length in rgb.shape[:2])
    return np.asarray(cv2.resize(rgb, (width, height)), dtype=np.uint8)


def _halve(rgb: Pixels) -> Pixels:
    height, width = rgb.shape[0] // 2, rgb.shape[1] // 2
    # An odd last row or column is left out: whole blocks of 2x2 are the fast case.
    even = rgb[: max(1, height * 2), : max(1, width * 2)]
    size = (max(1, width), max(1, height))
    return np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _halve_repeatedly(rgb: Pixels) -> list[Pixels]:
    """The image, its half, its quarter and so on, as long as a cell fits in."""
    octaves = [rgb]
    while min(octaves[-1].shape[:2]) >= 2 * _CELL:
        octaves.append(_halve(octaves[-1]))
    return octaves


def _pyramid(octaves: list[Pixels], scale: float) -> Iterator[tuple[Pixels, Floats]]:
    """Ever smaller copies, the first at `scale`, each with the factors (x, y) back to full size."""
    height, width = octaves[0].shape[:2]
    while min(height, width) * scale >= _CELL:
        octave = _octave(octaves, 1 / scale)
        source = octaves[octave]
        size = (round(width * scale), round(height * scale))
        level = cv2.resize(source, size)
        back = np.array([source.shape[1] / size[0], source.shape[0] / size[1]], dtype=np.float32)
        yield np.asarray(level, dtype=np.uint8), back * 2**octave
        scale *= _PYRAMID_STEP


def _strips(level: Pixels) -> Iterator[tuple[int, Pixels]]:
    """Rows of the level in pieces, with their top; together they hold each cell exactly once."""
    height, width = level.shape[:2]
    overlap = _CELL - _STRIDE
    rows = max(_PIECE // width // _STRIDE * _STRIDE, 2 * _CELL)
    for top in range(0, height - overlap, rows - overlap):
        yield top, level[top : top + rows]


def _run(network: onnxruntime.InferenceSession, crops: Pixels, outputs: list[str]) -> list[Floats]:
    """The network's outputs for crops [n, side, side, 3], n > 0."""
    size = max(1, _PIECE // (crops.shape[1] * crops.shape[2]))
    batches = [crops[start : start + size] for start in range(0, len(crops), size)]
    answers = [network.run(outputs, {"images": batch}) for batch in batches]
    return [np.concatenate(parts) for parts in zip(*answers, strict=True)]


def _octave(octaves: list[Pixels], shrink: float) -> int:
    """The octave from which to sample: at most a factor of two is left for bilinear sampling."""
    return min(max(int(np.log2(shrink)), 0), len(octaves) - 1) if shrink > 1 else 0


def _crop(octaves: list[Pixels], boxes: Floats, side: int) -> Pixels:
    """The square boxes [n, 4] as uint8 [n, side, side, 3]; mid-gray outside the image."""
    crops = np.empty((len(boxes), side, side, 3), dtype=np.uint8)
    for crop, (left, top, right, _) in zip(crops, boxes.tolist(), strict=True):
        step = max(right - left, 1) / side
        octave = _octave(octaves, step)
        factor = 2**octave
        matrix = np.array(
            [
                [step / factor, 0, (left + step / 2) / factor - 0.5],
                [0, step / factor, (top + step / 2) / factor - 0.5],
            ]
        )
        cv2.warpAffine(
            octaves[octave],
            matrix,
            (side, side),
            dst=crop,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(127, 127, 127),
        )
    return crops


def _move(boxes: Floats, offsets: Floats) -> Floats:
    """Boxes [n, 4] with each corner moved by a part of the box's size."""
    size = boxes[:, 2:] - boxes[:, :2]
    return boxes + offsets * np.tile(size, 2)


def _square(boxes: Floats) -> Floats:
    """Boxes [n, 4] grown around their centers to squares of their longer side."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True, initial=0) / 2
    return np.concatenate([center - half, center + half], axis=1)


def _turn_back(points: Floats, turns: int, width: int, height: int) -> Floats:
    """Points [..., 2] of an image that np.rot90 turned, in the image before; its size is given."""
    x, y = points[..., 0], points[..., 1]
    turned = {0: (x, y), 1: (width - y, x), 2: (width - x, height - y), 3: (y, height - x)}[turns]
    return np.stack(turned, axis=-1)


def _detection(corners: Floats, score: np.float32, points: Floats) -> Detection:
    (left, top), (right, bottom) = corners.tolist()
    named = Landmarks(*(tuple(point) for point in points.tolist()))
    return Detection(BoundingBox(left, top, right - left, bottom - top), float(score), named)
