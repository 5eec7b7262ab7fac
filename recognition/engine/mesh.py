"""468 points on the surface of a face, and the irises: MediaPipe's networks on ONNX Runtime."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .opencv import cv2
from .sessions import WEIGHTS, open_session
from .types import Landmarks

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

POINTS = 468
SIDE = 192
"""Side in pixels of the upright crop that the mesh network reads."""

EYE_SIDE = 64
"""Side of the crop that the iris network reads: one eye, its outer corner on the left."""

EYE_CORNERS = ((33, 133), (263, 362))
"""The outer and inner corner of the left and the right eye, as indices of the mesh."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """The surface of one face.

    `points` [468, 3] and `irises` [2, 5, 3] are x, y in pixels of the image and depth in the same
    unit, smaller toward the camera, pixel centers whole; an iris is its center and four points of
    its edge, the left eye's first. `score` in 0..1 tells how likely there is a face.
    """

    points: Floats
    score: float
    irises: Floats | None = None

    def scaled(self, x: float, y: float) -> "Mesh":
        """The mesh in the same image scaled by these factors, depth like x."""

        def scale(points: Floats) -> Floats:
            # Points count from pixel centers.
            corner = np.array([0.5, 0.5, 0])
            return np.asarray((points + corner) * [x, y, x] - corner, np.float32)

        return Mesh(
            scale(self.points), self.score, None if self.irises is None else scale(self.irises)
        )


class FaceMesh:
    """Kartynnik et al. 2019, "Real-time Facial Surface Geometry from Monocular Video on Mobile
    GPUs" (arXiv 1907.06724); with `irises` also Ablavatski et al. 2020 (arXiv 2006.11341), which
    takes twice as long again.
    """

    def __init__(self, threads: int = 1, *, irises: bool = False) -> None:
        self._surface = open_session(WEIGHTS / "mesh.onnx", threads)
        self._iris = open_session(WEIGHTS / "iris.onnx", threads) if irises else None

    def read(self, rgb: Pixels, landmarks: Landmarks, *, irises: bool = True) -> Mesh:
        """The mesh of the face with these landmarks in a uint8 [height, width, 3] image.

        One face at a time: in a batch each takes longer, because less of it fits the cache.
        `irises` can be left out for a face whose eyes can't be seen.
        """
        crop, back = _cut(rgb, _square_around(landmarks), SIDE)
        points, score = self._surface.run(["points", "score"], {"images": crop[None]})
        surface, eyes = _carry(points[0], back), None
        if self._iris is not None and irises:
            eyes = np.stack([self._look(rgb, surface, side) for side in (0, 1)])
        return Mesh(surface, float(score[0]), eyes)

    def _look(self, rgb: Pixels, surface: Floats, side: int) -> Floats:
        """The iris of one eye; the right one is read as its mirror image, as it was trained."""
        assert self._iris is not None
        outer, inner = surface[list(EYE_CORNERS[side]), :2].astype(np.float64)
        across = inner - outer if side == 0 else outer - inner
        square = _Square((outer + inner) / 2, _EYE * float(np.hypot(*across)), across)
        crop, back = _cut(rgb, square, EYE_SIDE)
        if side:
            crop = np.ascontiguousarray(crop[:, ::-1])
        (points,) = self._iris.run(["points"], {"images": crop[None]})
        iris = points[0]
        if side:
            iris = np.concatenate([EYE_SIDE - 1 - iris[:, :1], iris[:, 1:]], axis=1)
        return _carry(iris, back)


def pack(mesh: Mesh) -> bytes:
    """The points' and irises' x, y as float32 bytes: 468 points, ten more if irises were read."""
    parts = [mesh.points[:, :2]]
    if mesh.irises is not None:
        parts.append(mesh.irises[:, :, :2].reshape(-1, 2))
    return np.concatenate(parts).astype("<f4").tobytes()


def unpack(packed: bytes) -> tuple[Floats, Floats]:
    """Points [468, 2] and the irises' [10, 2], or [0, 2] if they weren't read."""
    points = np.frombuffer(packed, "<f4").reshape(-1, 2)
    return points[:POINTS], points[POINTS:]


# The crop of the mesh is one and a half times its size; that, and where its center lies, as parts
# of the distance between the eyes or from eyes to mouth, whichever is longer (average of 24
# portraits).
_CROP = 1.5 * 2.43
_UP = 0.07
_EYE = 2.3  # of the distance between the corners, as MediaPipe cuts it


@dataclass(frozen=True, slots=True)
class _Square:
    """A square of the image: its center, its side in pixels, the direction of its upper edge."""

    center: NDArray[np.float64]
    side: float
    across: NDArray[np.float64]


def _square_around(landmarks: Landmarks) -> _Square:
    """The square that the mesh network expects around a face."""
    eyes = np.array([landmarks.left_eye, landmarks.right_eye], np.float64)
    mouth = np.array([landmarks.mouth_left, landmarks.mouth_right], np.float64).mean(axis=0)
    middle = eyes.mean(axis=0)
    across, down = eyes[1] - eyes[0], mouth - middle
    unit = max(float(np.hypot(*across)), float(np.hypot(*down)), 1.0)
    return _Square((middle + mouth) / 2 - _UP * down, _CROP * unit, across)


def _cut(rgb: Pixels, square: _Square, side: int) -> tuple[Pixels, NDArray[np.float64]]:
    """The square as uint8 [side, side, 3], and the map [2, 3] from its pixels to the image's."""
    scale = max(square.side, 1.0) / side
    angle = np.arctan2(square.across[1], square.across[0])
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    back = np.column_stack([turn, square.center - turn @ np.full(2, (side - 1) / 2)])
    block = int(scale)
    source, wanted = rgb, back
    if block > 1:
        # Whole blocks are averaged first, so that large faces don't alias.
        reach = 0.75 * square.side
        height, width = rgb.shape[:2]
        left, top = np.clip(square.center - reach, 0, [width - 1, height - 1]).astype(int)
        right, bottom = np.clip(square.center + reach, [left + 1, top + 1], [width, height])
        part = rgb[top : int(bottom) + 1, left : int(right) + 1]
        size = (max(1, part.shape[1] // block), max(1, part.shape[0] // block))
        source = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
        x, y = part.shape[1] / size[0], part.shape[0] / size[1]
        wanted = back.copy()
        wanted[:, 2] += [0.5 - left, 0.5 - top]
        wanted /= [[x], [y]]
        wanted[:, 2] -= 0.5
    crop = cv2.warpAffine(
        source,
        wanted,
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(crop, np.uint8), back


def _carry(points: Floats, back: NDArray[np.float64]) -> Floats:
    """Points [n, 3] of a crop in the image; the network counts from pixel corners."""
    there = (points[:, :2] - 0.5) @ back[:, :2].T + back[:, 2]
    scale = float(np.hypot(back[0, 0], back[1, 0]))
    return np.column_stack([there, scale * points[:, 2]]).astype(np.float32)
