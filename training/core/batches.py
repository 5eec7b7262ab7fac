"""Batches of varied faces, drawn by number, so that a resumed run sees the same ones."""

from concurrent.futures import Future

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from .config import TrainingConfig
from .helpers import Helpers, Recipe, vary


class TrainingBatches(keras.utils.PyDataset):
    """One epoch: float32 [batch, side, side, 1] with values 0 to 255, and targets [batch, 7].

    Order and variation follow from seed, epoch and batch number alone. With `helpers`, which hold
    the same images and framings, other processes vary the faces; the batches stay the same.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        targets: NDArray[np.float32],
        config: TrainingConfig,
        epoch: int,
        side: int,
        strength: float,
        framings: NDArray[np.float32] | None = None,
        helpers: Helpers | None = None,
    ) -> None:
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=8)
        # One thread a face: the network needs the cores, and 48 pixels are too few to share out.
        cv2.setNumThreads(1)
        self.images, self.targets, self.config = images, targets, config
        self.epoch, self.side, self.strength = epoch, side, strength
        self.framings, self.helpers = framings, helpers
        self.order = np.random.default_rng((config.seed, epoch)).permutation(len(images))
        self._begun: dict[int, Future[NDArray[np.uint8]]] = {}

    def __len__(self) -> int:
        # The last rows of the order that do not fill a batch come earlier in another epoch.
        return max(1, len(self.images) // self.config.batch_size)

    def __getitem__(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if self.helpers is None:
            faces = vary(self.images, self.framings, self._recipe(number))
        else:
            faces = self._from_helpers(number, self.helpers)
        targets = self.targets[self._recipe(number).rows]
        return self._mixed(number, faces[..., np.newaxis].astype(np.float32), targets)

    def _mixed(
        self, number: int, faces: NDArray[np.float32], targets: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Each face blended with the one opposite to it in the batch, as are their targets."""
        if not self.config.mixed:
            return faces, targets
        random = np.random.default_rng((self.config.seed, self.epoch, number, 1))
        share = np.float32(random.beta(self.config.mixed, self.config.mixed))
        return (
            share * faces + (1 - share) * faces[::-1],
            share * targets + (1 - share) * targets[::-1],
        )

    def _from_helpers(self, number: int, helpers: Helpers) -> NDArray[np.uint8]:
        for later in range(number, min(number + helpers.ahead, len(self))):
            if later not in self._begun:
                self._begun[later] = helpers.vary(self._recipe(later))
        return self._begun.pop(number).result()

    def _recipe(self, number: int) -> Recipe:
        size, config = self.config.batch_size, self.config
        rows = self.order[number * size : (number + 1) * size]
        seed = (config.seed, self.epoch, number)
        return Recipe(rows, seed, config.framed, self.strength, self.side)
