"""What is measured about faces: which are near-duplicates, and how the engine would frame them."""

import os
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.engine.align import TEMPLATE, estimate_similarity
from recognition.engine.detector import MtcnnDetector
from recognition.engine.weights.measure_framing import find_landmarks

from .faces import AS_IT_IS

_SIDE = 16  # pixels
_ALIKE = 0.97
_BLOCK = 2048


def group_duplicates(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Number images, uint8 [n, h, w] -> int64 [n], so that near-duplicates share a number.

    Two images are near-duplicates if they, or one and the mirror image of the other, correlate by
    at least 0.97 after a slight blur at 16x16 pixels. Chains of such pairs form one group.
    """
    features = np.stack([_feature(image) for image in images])
    mirrored = np.stack([_feature(image[:, ::-1]) for image in images])
    parent = np.arange(len(images))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = int(parent[index])
        return index

    for start in range(0, len(images), _BLOCK):
        block = features[start : start + _BLOCK]
        for other in (features, mirrored):
            # Pairs are symmetric: earlier blocks have been compared with this one already.
            first, second = np.nonzero(block @ other[start:].T >= _ALIKE)
            for a, b in zip(first + start, second + start, strict=True):
                if a < b and (ra := root(int(a))) != (rb := root(int(b))):
                    parent[max(ra, rb)] = min(ra, rb)
    return np.array([root(index) for index in range(len(images))])


def _feature(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A unit vector [256]; the dot product of two is the correlation of their images."""
    blurred = cv2.GaussianBlur(np.ascontiguousarray(image), (0, 0), 1.5)
    small = cv2.resize(blurred, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    centered = small.ravel() - small.mean()
    length = float(np.linalg.norm(centered))
    # Any two flat images would correlate, whatever their brightness.
    return np.asarray(centered / length if length > 1 else np.zeros_like(centered), np.float32)


def measure_framings(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Affine maps, float32 [n, 2, 3], from faces [n, 48, 48] to how the engine would frame them.

    They map pixel centers to pixel centers, as `align.warp` expects. A face that the detector
    doesn't find keeps `AS_IT_IS`. Takes about 10 ms per face and core.
    """
    parts = np.array_split(np.arange(len(images)), max(1, len(images) // _PART))
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        measured = threads.map(lambda rows: _measure(images[rows]), parts)
        return np.concatenate(list(measured))


_PART = 2000
# A map that zooms more than this comes from a false detection.
_SCALES = (0.6, 1.7)


def _measure(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    detector = MtcnnDetector(min_face=24, second_look=False)
    maps = np.tile(AS_IT_IS, (len(images), 1, 1))
    for index, face in enumerate(images):
        if found := find_landmarks(np.asarray(face), detector):
            framing = estimate_similarity(found[0], TEMPLATE)
            scale = float(np.hypot(framing[0, 0], framing[1, 0]))
            if _SCALES[0] < scale < _SCALES[1]:
                maps[index] = framing
    return maps
