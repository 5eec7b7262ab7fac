"""Random variations of training faces: what loose crops and real detections look like.

Nothing here needs Keras, so the processes of `Helpers` start in a second and stay small.
"""

import math
import multiprocessing
import os
import threading
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.engine.align import SIDE, warp

from .data.faces import AS_IT_IS

_ROTATION = math.radians(12)
_SCALE = 0.13
_SHIFT = 3.6
_SHEAR = 0.06
_GAMMA = 0.45
_DEGRADED = 0.25
_ERASED = 0.3
_LEVELS = np.arange(256) / 255


def augment(
    faces: NDArray[np.uint8],
    random: np.random.Generator,
    strength: float = 1.0,
    framings: NDArray[np.floating] | None = None,
    *,
    erase: bool = True,
) -> NDArray[np.uint8]:
    """Vary each face in position, shape and light: uint8 [n, 48, 48] -> uint8 [n, 48, 48].

    Shift, scale, rotation, shear and mirroring form one affine map, sampled by the engine's `warp`.
    Then comes gamma, for some faces a loss of quality (low resolution, blur, JPEG, noise), and for
    some an erased rectangle (Zhong et al. 2020, arXiv 1708.04896). `strength` scales every range.
    `framings`, maps [n, 2, 3], are applied first, in the same sampling. `erase` can be turned off.
    """
    count = len(faces)
    varied = np.empty((count, SIDE, SIDE), np.uint8)
    matrices = _affine_maps(random, count, strength)
    if framings is not None:
        shift = matrices[:, :, 2:]
        matrices = matrices[:, :, :2] @ framings
        matrices[:, :, 2:] += shift
    gammas = np.exp(random.uniform(-_GAMMA, _GAMMA, count) * strength)
    degraded = random.random(count) < _DEGRADED * strength
    erased = random.random(count) < _ERASED * strength
    for index, face in enumerate(faces):
        image = _apply_gamma(warp(face, matrices[index]), gammas[index])
        if degraded[index]:
            image = _degrade(image, random)
        if erase and erased[index]:
            image = _erase(image, random)
        varied[index] = image
    return varied


def frame(images: NDArray[np.uint8], framings: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Apply maps [n, 2, 3] to faces [n, 48, 48]."""
    pairs = zip(images, framings, strict=True)
    return np.stack([warp(np.asarray(face), framing) for face, framing in pairs])


def resize(faces: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Resize faces [n, 48, 48] to [n, side, side] by area averaging."""
    if faces.shape[1] == side:
        return faces
    resized = np.empty((len(faces), side, side), np.uint8)
    for index, face in enumerate(faces):
        cv2.resize(face, (side, side), dst=resized[index], interpolation=cv2.INTER_AREA)
    return resized


def _affine_maps(random: np.random.Generator, count: int, strength: float) -> NDArray[np.float64]:
    """Random affine maps [n, 2, 3] about the center, from the face to its varied version."""
    angle = random.uniform(-_ROTATION, _ROTATION, count) * strength
    scale = np.exp(random.uniform(-_SCALE, _SCALE, (count, 2)) * strength * [1, 0.35])
    # The second number stretches one axis and shrinks the other: faces are narrow or wide too.
    across, down = scale[:, 0] * scale[:, 1], scale[:, 0] / scale[:, 1]
    shear = random.uniform(-_SHEAR, _SHEAR, count) * strength
    mirror = np.where(random.random(count) < 0.5, -1.0, 1.0)
    cos, sin = np.cos(angle), np.sin(angle)
    maps = np.empty((count, 2, 3))
    maps[:, 0, 0] = cos * across * mirror
    maps[:, 0, 1] = (shear * cos - sin) * down
    maps[:, 1, 0] = sin * across * mirror
    maps[:, 1, 1] = (shear * sin + cos) * down
    center = np.full(2, (SIDE - 1) / 2)
    shift = random.uniform(-_SHIFT, _SHIFT, (count, 2)) * strength
    maps[:, :, 2] = center + shift - maps[:, :, :2] @ center
    return maps


def _apply_gamma(image: NDArray[np.uint8], gamma: float) -> NDArray[np.uint8]:
    table = ((_LEVELS**gamma) * 255 + 0.5).astype(np.uint8)
    return table[image]


def _degrade(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Lose quality in one of the ways that photos do."""
    kind = random.integers(4)
    if kind == 0:
        side = int(random.integers(18, 38))
        small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), np.uint8)
    if kind == 1:
        sigma = float(random.uniform(0.4, 1.3))
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)
    if kind == 2:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(15, 70))]
        encoded = cv2.imencode(".jpg", image, quality)[1]
        return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)
    noise = random.normal(0, random.uniform(3, 12), image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def _erase(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Cover a rectangle of up to a sixth of the face, as a hand, hair or a mask would."""
    width, height = random.integers(7, 21, 2)
    left = random.integers(0, SIDE - width + 1)
    top = random.integers(0, SIDE - height + 1)
    erased = image.copy()
    erased[top : top + height, left : left + width] = random.integers(0, 256)
    return erased


@dataclass(frozen=True)
class Recipe:
    """Everything that determines the faces of a batch.

    `framed` is the share of faces that the engine's framing is applied to, `strength` goes to
    `augment`, `side` is the side in pixels of the result, `seed` any whole numbers.
    """

    rows: NDArray[np.int64]
    seed: tuple[int, ...]
    framed: float
    strength: float
    side: int


def vary(
    images: NDArray[np.uint8], framings: NDArray[np.float32] | None, recipe: Recipe
) -> NDArray[np.uint8]:
    """The faces of one batch, uint8 [n, side, side], from all faces [m, 48, 48]."""
    rows, random = recipe.rows, np.random.default_rng(recipe.seed)
    maps = None
    if framings is not None:
        framed = random.random(len(rows)) < recipe.framed
        maps = np.where(framed[:, np.newaxis, np.newaxis], framings[rows], AS_IT_IS)
    return resize(augment(images[rows], random, recipe.strength, maps), recipe.side)


class Helpers:
    """Processes that vary faces beside the one that trains; a context manager that ends them.

    A single core varies about ten thousand faces a second, too few for a fast GPU.
    """

    def __init__(
        self, images: NDArray[np.uint8], framings: NDArray[np.float32] | None, processes: int
    ) -> None:
        self.ahead = 3 * processes
        """How many batches to request before the first one is needed."""
        self._pool = ProcessPoolExecutor(
            processes,
            # Forking a process that runs the threads of a GPU library can hang.
            multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(np.asarray(images), framings),
        )

    def __enter__(self) -> "Helpers":
        return self

    def __exit__(self, *details: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def vary(self, recipe: Recipe) -> "Future[NDArray[np.uint8]]":
        """Start on a batch."""
        return self._pool.submit(_vary, recipe)


def spare_processes() -> int:
    """How many helpers are worth their memory on this machine: none with four cores or fewer."""
    cores = os.cpu_count() or 1
    return 0 if cores <= 4 else min(8, cores // 2)


_images: NDArray[np.uint8]
_framings: NDArray[np.float32] | None


def _begin(images: NDArray[np.uint8], framings: NDArray[np.float32] | None) -> None:
    global _images, _framings
    _images, _framings = images, framings
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Exit with the training process, which can't end its helpers if it is killed."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _vary(recipe: Recipe) -> NDArray[np.uint8]:
    return vary(_images, _framings, recipe)
