"""Which images show the same picture: copies, also scaled, a little shifted, or mirrored ones."""

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
    """A number per image, uint8 [n, h, w] -> int64 [n], the same for near-duplicates.

    Two images are near-duplicates when they, or one and the other's mirror image, correlate by at
    least 0.97 after a slight blur at 16x16 pixels; chains of such pairs form one group.
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
            # Pairs are symmetric, so the rows before the block have been compared with it.
            first, second = np.nonzero(block @ other[start:].T >= _ALIKE)
            for a, b in zip(first + start, second + start, strict=True):
                if a < b and (ra := root(int(a))) != (rb := root(int(b))):
                    parent[max(ra, rb)] = min(ra, rb)
    return np.array([root(index) for index in range(len(images))])


def _feature(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A vector of unit length whose dot product with another is their correlation."""
    blurred = cv2.GaussianBlur(np.ascontiguousarray(image), (0, 0), 1.5)
    small = cv2.resize(blurred, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    centered = small.ravel() - small.mean()
    length = float(np.linalg.norm(centered))
    # A flat image is like other flat ones only if the level is the same, which is of no use here.
    return np.asarray(centered / length if length > 1 else np.zeros_like(centered), np.float32)


def measure_framings(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Maps [n, 2, 3] from faces [n, 48, 48] to the same faces as the engine would frame them.

    Pixel centers to pixel centers, for `align.warp`. Where the detector finds no face, the map
    leaves it as it is. Takes about 10 ms a face and core.
    """
    parts = np.array_split(np.arange(len(images)), max(1, len(images) // _PART))
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        measured = threads.map(lambda rows: _measure(images[rows]), parts)
        return np.concatenate(list(measured))


_PART = 2000
# A landmark-based map far from the given crop is a wrong find, not a framing.
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
