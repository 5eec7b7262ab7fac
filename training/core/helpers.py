"""Processes that vary training faces beside the one that trains, where there are cores to spare.

A fast accelerator waits for a single core, which varies about ten thousand faces a second. This
module knows no Keras: a helper starts in a second and holds little besides the faces.
"""

import multiprocessing
import os
import threading
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .augment import augment, resize
from .framings import AS_IT_IS


@dataclass(frozen=True)
class Recipe:
    """What makes a batch: which rows, and all that their variation follows from.

    `framed` is the share of faces that are fed as the engine would frame them, `strength` that of
    `augment`, `side` the side in pixels of the faces made, `seed` any whole numbers.
    """

    rows: NDArray[np.int64]
    seed: tuple[int, ...]
    framed: float
    strength: float
    side: int


def vary(
    images: NDArray[np.uint8], framings: NDArray[np.float32] | None, recipe: Recipe
) -> NDArray[np.uint8]:
    """The batch of a recipe, uint8 [n, side, side], from faces [all, 48, 48]."""
    rows, random = recipe.rows, np.random.default_rng(recipe.seed)
    maps = None
    if framings is not None:
        framed = random.random(len(rows)) < recipe.framed
        maps = np.where(framed[:, np.newaxis, np.newaxis], framings[rows], AS_IT_IS)
    return resize(augment(images[rows], random, recipe.strength, maps), recipe.side)


class Helpers:
    """A pool of `processes`, each with the faces; used as a context, which ends them."""

    def __init__(
        self, images: NDArray[np.uint8], framings: NDArray[np.float32] | None, processes: int
    ) -> None:
        self.ahead = 3 * processes
        """How many batches to ask for before the first of them is needed."""
        self._pool = ProcessPoolExecutor(
            processes,
            # A fork of a process in which an accelerator's threads run can hang.
            multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(np.asarray(images), framings),
        )

    def __enter__(self) -> "Helpers":
        return self

    def __exit__(self, *details: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def vary(self, recipe: Recipe) -> "Future[NDArray[np.uint8]]":
        """Begin to make a batch."""
        return self._pool.submit(_vary, recipe)


def spare_processes() -> int:
    """How many helpers are worth their memory on this machine: none where cores are few."""
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
    """A training that is killed cannot end its helpers itself."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _vary(recipe: Recipe) -> NDArray[np.uint8]:
    return vary(_images, _framings, recipe)
