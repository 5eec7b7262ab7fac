"""Finds faces and their five landmarks: the detector protocol and MTCNN on ONNX Runtime."""

from collections.abc import Sequence
from copy import copy
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from .boxes import Floats, move, square, suppress, suppress_nested, turn_back
from .contrast import stretch_contrast
from .opencv import cv2
from .pyramid import CELL, PIECE, STRIDE, Pixels, crop, fit, halve_repeatedly, levels, strips
from .sessions import WEIGHTS, open_session
from .types import BoundingBox, Detection, Landmarks

if TYPE_CHECKING:
    import onnxruntime

FINAL_SCORE = 0.8
"""The third network's score from which a box counts as a face."""

# Boxes [n, 4] as left, top, right, bottom; scores [n]; landmarks [n, 5, 2].
Found = tuple[Floats, Floats, Floats]


class FaceDetector(Protocol):
    """Anything that finds faces."""

    def detect(self, rgb: Pixels) -> list[Detection]:
        """Every face in a uint8 [height, width, 3] image, largest first, in image pixels."""
        ...

    def follow(self, rgb: Pixels, boxes: Sequence[BoundingBox]) -> list[Detection]:
        """The faces that were in `boxes` one frame ago and are still nearby, like detect.

        Faster than detect; finds no new faces.
        """
        ...

    def with_max_side(self, max_side: int) -> Self:
        """A detector that scales down only images whose longest side exceeds `max_side`."""
        ...

    def with_min_face(self, min_face: int) -> Self:
        """A detector that reports faces whose longer side has at least `min_face` pixels."""
        ...


class MtcnnDetector:
    """MTCNN: three small networks that propose, refine and finish boxes with five landmarks.

    Zhang et al. 2016, "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional
    Networks" (arXiv 1604.02878), section 2. A photo whose longest side exceeds `max_side` pixels is
    scaled down to it; faces whose longer side is under `min_face` pixels there are not reported.
    With `second_look`, a photo without a face is searched again: with its contrast stretched if it
    is pale or dark, then in quarter turns (also if no face is certain), because some photos lie on
    their side or upside down, and at last with its edges continued outward, for faces that fill it.
    """

    def __init__(
        self,
        min_face: int = 32,
        max_side: int = 1280,
        threads: int = 1,
        *,
        second_look: bool = True,
    ) -> None:
        _check_sizes(min_face, max_side)
        self.min_face = min_face
        self.max_side = max_side
        self.second_look = second_look
        self._proposals = open_session(WEIGHTS / "pnet.onnx", threads)
        self._refinement = open_session(WEIGHTS / "rnet.onnx", threads)
        self._output = open_session(WEIGHTS / "onet.onnx", threads)

    def with_min_face(self, min_face: int) -> Self:
        """A detector with another `min_face` that shares this one's networks.

        Raises ValueError for impossible sizes, as the constructor does.
        """
        _check_sizes(min_face, self.max_side)
        other = copy(self)
        other.min_face = min_face
        return other

    def with_max_side(self, max_side: int) -> Self:
        """A detector with another `max_side` that shares this one's networks."""
        _check_sizes(self.min_face, max_side)
        other = copy(self)
        other.max_side = max_side
        return other

    def detect(self, rgb: Pixels) -> list[Detection]:
        """Every face in a uint8 [height, width, 3] image, largest first, in image pixels.

        Landmarks are named as in the upright face, so a face lying on its side aligns too.
        """
        working = fit(rgb, self.max_side)
        found = self.look_again(working, self.find(working, self.min_face))
        return to_detections(found, working, rgb)

    def look_again(self, working: Pixels, found: Found) -> Found:
        """What was found in a working copy, or better from a second look if one is wanted."""
        if not self.second_look:
            return found
        if not len(found[0]):
            found = self._look_at_stretched(working)
        if not is_sure(*found):
            turned, level = self._look_at_turned(working)
            # A face on its side is often found too, but with wrong landmarks.
            if level > _levelness(found[0], found[2]).sum():
                found = turned
        if not len(found[0]) and min(working.shape[:2]) >= _EXTENDED_FROM:
            found = self._look_at_extended(working)
        return found

    def follow(self, rgb: Pixels, boxes: Sequence[BoundingBox]) -> list[Detection]:
        """The faces that were in `boxes` one frame ago and are still nearby, largest first.

        A face may have moved by two fifths of its size and grown or shrunk by half. Faces that are
        gone are left out; boxes that lead to the same face return it once. Only upright faces are
        followed. Takes and returns the same as detect.
        """
        if not boxes:
            return []
        working = fit(rgb, self.max_side)
        corners = [[(b.x, b.y), (b.x + b.width, b.y + b.height)] for b in boxes]
        start = (np.array(corners, dtype=np.float32) / _ratio(working, rgb)).reshape(-1, 4)
        octaves = halve_repeatedly(working)
        found = self.judge(octaves, self._pull(octaves, square(start)), self.min_face, FINAL_SCORE)
        return to_detections(found, working, rgb)

    def find(self, image: Pixels, min_face: float, final_score: float = FINAL_SCORE) -> Found:
        """The faces of at least `min_face` pixels in the image as it is."""
        octaves = halve_repeatedly(image)
        return self.judge(octaves, self._propose(octaves, min_face), min_face, final_score)

    def judge(
        self, octaves: list[Pixels], boxes: Floats, min_face: float, final_score: float
    ) -> Found:
        """Runs the second and third network on square boxes [n, 4]."""
        boxes = self._refine(octaves, boxes)
        boxes, scores, points = self._finish(octaves, boxes, final_score)
        large = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0) >= min_face
        return boxes[large], scores[large], points[large]

    def _look_at_stretched(self, working: Pixels) -> Found:
        """The faces that show once the contrast is stretched; none if it is high already."""
        small = fit(working, _STRETCHED_SIDE)
        stretched = stretch_contrast(small)
        if stretched is None:
            return NOTHING
        ratio = _ratio(small, working)
        min_face = max(_STRETCHED_FACE, self.min_face / ratio.max())
        boxes, scores, points = self.find(stretched, min_face, _STRETCHED_SCORE)
        return boxes * np.tile(ratio, 2), scores, points * ratio

    def _look_at_extended(self, working: Pixels) -> Found:
        """The faces that fill the picture so tightly that they need an edge around them.

        Searches a small copy with its edges repeated outward; returns working pixels.
        """
        small = fit(working, _EXTENDED_SIDE)
        height, width = small.shape[:2]
        x, y = round(width * _EXTENSION), round(height * _EXTENSION)
        extended = cv2.copyMakeBorder(small, y, y, x, x, cv2.BORDER_REPLICATE)
        min_face = max(CELL, _EXTENDED_FACE * min(width, height))
        boxes, scores, points = self.find(np.asarray(extended), min_face, _EXTENDED_SCORE)
        ratio = _ratio(small, working)
        corner = np.array([x, y], dtype=np.float32)
        return (boxes - np.tile(corner, 2)) * np.tile(ratio, 2), scores, (points - corner) * ratio

    def _look_at_turned(self, working: Pixels) -> tuple[Found, float]:
        """The faces from the quarter turn in which they are most upright, and how level they are.

        Searches a smaller copy for certain faces only; returns working pixels.
        """
        small = fit(working, _SECOND_LOOK_SIDE)
        min_face = max(_SECOND_LOOK_FACE, self.min_face * small.shape[1] / working.shape[1])
        best, best_turns, best_level = NOTHING, 0, 0.0
        for turns in (1, 2, 3):
            found = self.find(np.ascontiguousarray(np.rot90(small, turns)), min_face, _SURE)
            level = float(_levelness(found[0], found[2]).sum())
            if is_sure(*found) and level > best_level:
                best, best_turns, best_level = found, turns, level
        boxes, scores, points = best
        height, width = small.shape[:2]
        corners = turn_back(boxes.reshape(-1, 2, 2), best_turns, width, height)
        boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
        points = turn_back(points, best_turns, width, height)
        ratio = np.array([working.shape[1] / width, working.shape[0] / height], dtype=np.float32)
        return (boxes * np.tile(ratio, 2), scores, points * ratio), best_level

    def _propose(self, octaves: list[Pixels], min_face: float) -> Floats:
        """Square boxes [n, 4] where the first network sees faces, over all sizes (section 2.1)."""
        found, found_scores = [NOTHING[0]], [NOTHING[1]]
        for level, ratio in levels(octaves, CELL / min_face):
            boxes, scores = self._scan(level)
            kept = suppress(boxes, scores, 0.5)
            found.append(boxes[kept] * np.tile(ratio, 2))
            found_scores.append(scores[kept])
        boxes = np.concatenate(found)
        return square(boxes[suppress(boxes, np.concatenate(found_scores), 0.7)])

    def _scan(self, level: Pixels) -> tuple[Floats, Floats]:
        """Boxes [n, 4] and scores [n] of the cells of one level in which a face is likely."""
        found, found_scores = [NOTHING[0]], [NOTHING[1]]
        for top, strip in strips(level):
            scores, offsets = self._proposals.run(["scores", "offsets"], {"images": strip[None]})
            rows, columns = np.nonzero(scores[0, 0] > _PROPOSAL_SCORE)
            corner = np.stack([columns * STRIDE, rows * STRIDE + top], axis=1)
            cells = np.concatenate([corner, corner + CELL], axis=1).astype(np.float32)
            found.append(cells + offsets[0, :, rows, columns] * CELL)
            found_scores.append(scores[0, 0, rows, columns])
        return np.concatenate(found), np.concatenate(found_scores)

    def _pull(self, octaves: list[Pixels], boxes: Floats) -> Floats:
        """The square boxes [n, 4], moved onto faces that are off center.

        The second network can locate a face even from a crop too far off to be sure it is one.
        """
        _, offsets = _run(self._refinement, crop(octaves, boxes, 24), ["scores", "offsets"])
        return square(move(boxes, offsets))

    def _refine(self, octaves: list[Pixels], boxes: Floats) -> Floats:
        """The square boxes [n, 4] that the second network keeps, adjusted by its offsets."""
        if len(boxes) == 0:
            return boxes
        scores, offsets = _run(self._refinement, crop(octaves, boxes, 24), ["scores", "offsets"])
        kept = scores[:, 0] > _REFINED_SCORE
        boxes = move(boxes[kept], offsets[kept])
        return square(boxes[suppress(boxes, scores[kept, 0], 0.7)])

    def _finish(self, octaves: list[Pixels], boxes: Floats, final_score: float) -> Found:
        """Final boxes [n, 4], scores [n] and landmarks [n, 5, 2] by the third network."""
        if len(boxes) == 0:
            return NOTHING
        outputs = ["scores", "offsets", "landmarks"]
        scores, offsets, landmarks = _run(self._output, crop(octaves, boxes, 48), outputs)
        kept = scores[:, 0] > final_score
        boxes, scores = boxes[kept], scores[kept, 0]
        # Five x, then five y, as parts of the crop.
        points = landmarks[kept].reshape(-1, 2, 5).transpose(0, 2, 1)
        points = boxes[:, None, :2] + points * (boxes[:, None, 2:] - boxes[:, None, :2])
        boxes = move(boxes, offsets[kept])
        best = suppress_nested(boxes, scores, 0.7)
        return boxes[best], scores[best], points[best]


_PROPOSAL_SCORE = 0.7
_REFINED_SCORE = 0.7
# Upright faces almost always score higher than this, turned ones hardly ever.
_SURE = 0.97
_LEVEL = 0.3
_SECOND_LOOK_SIDE = 480
_SECOND_LOOK_FACE = 32
_STRETCHED_SIDE = 320
_STRETCHED_FACE = 24
_STRETCHED_SCORE = 0.9
_EXTENDED_FROM = 64  # pixels of the shorter side: less shows no landmarks
_EXTENDED_SIDE = 160
_EXTENSION = 0.3  # of the picture's width and height, on each side
_EXTENDED_FACE = 0.4  # of the shorter side
_EXTENDED_SCORE = 0.9
NOTHING: Found = (
    np.empty((0, 4), np.float32),
    np.empty(0, np.float32),
    np.empty((0, 5, 2), np.float32),
)


def _levelness(boxes: Floats, points: Floats) -> Floats:
    """Horizontal distance between the eyes as a fraction of the box's width: [n].

    About 0.4 for a frontal face; less for one that is tilted, in profile, or on its side with
    wrong landmarks.
    """
    level: Floats = (points[:, 1, 0] - points[:, 0, 0]) / (boxes[:, 2] - boxes[:, 0])
    return level.clip(0)


def is_sure(boxes: Floats, scores: Floats, points: Floats) -> bool:
    """Whether at least one face is certain enough that the picture must be upright."""
    return bool(((scores >= _SURE) & (_levelness(boxes, points) >= _LEVEL)).any())


def _check_sizes(min_face: int, max_side: int) -> None:
    if min_face < CELL:
        raise ValueError(f"min_face must be at least {CELL} pixels.")
    if max_side < min_face:
        raise ValueError("max_side must not be smaller than min_face.")


def _run(
    network: "onnxruntime.InferenceSession", crops: Pixels, outputs: list[str]
) -> list[Floats]:
    """The network's outputs for crops [n, side, side, 3], n > 0."""
    size = max(1, PIECE // (crops.shape[1] * crops.shape[2]))
    batches = [crops[start : start + size] for start in range(0, len(crops), size)]
    answers = [network.run(outputs, {"images": batch}) for batch in batches]
    return [np.concatenate(parts) for parts in zip(*answers, strict=True)]


def _ratio(working: Pixels, rgb: Pixels) -> Floats:
    """The factors (x, y) from pixels of the working copy to those of the image.

    One for each axis: rounding the working size may stretch it by a fraction of a pixel.
    """
    (height, width), (working_height, working_width) = rgb.shape[:2], working.shape[:2]
    return np.array([width / working_width, height / working_height], dtype=np.float32)


def to_detections(found: Found, working: Pixels, rgb: Pixels) -> list[Detection]:
    """The faces found in the working copy, in pixels of the image, largest first."""
    boxes, scores, points = found
    ratio = _ratio(working, rgb)
    boxes = (boxes.reshape(-1, 2, 2) * ratio).clip(0, rgb.shape[1::-1])
    # Landmarks count from pixel centers, boxes from pixel corners.
    points = points * ratio - 0.5
    faces = [_detection(*face) for face in zip(boxes, scores, points, strict=True)]
    return sorted(faces, key=lambda face: face.box.width * face.box.height, reverse=True)


def _detection(corners: Floats, score: np.float32, points: Floats) -> Detection:
    (left, top), (right, bottom) = corners.tolist()
    named = Landmarks(*(tuple(point) for point in points.tolist()))
    return Detection(BoundingBox(left, top, right - left, bottom - top), float(score), named)
