"""Batches of varied faces, drawn by number, so that a resumed run sees the same ones."""

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from .augment import augment, resize
from .config import TrainingConfig
from .framings import AS_IT_IS


class TrainingBatches(keras.utils.PyDataset):
    """One epoch: float32 [batch, side, side, 1] with values 0 to 255, and targets [batch, 7].

    Order and variation follow from seed, epoch and batch number alone.
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
    ) -> None:
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=8)
        # One thread a face: the network needs the cores, and 48 pixels are too few to share out.
        cv2.setNumThreads(1)
        self.images, self.targets, self.config = images, targets, config
        self.epoch, self.side, self.strength = epoch, side, strength
        self.framings = framings
        self.order = np.random.default_rng((config.seed, epoch)).permutation(len(images))

    def __len__(self) -> int:
        # The last rows of the order that do not fill a batch come earlier in another epoch.
        return max(1, len(self.images) // self.config.batch_size)

    def __getitem__(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        size = self.config.batch_size
        rows = self.order[number * size : (number + 1) * size]
        random = np.random.default_rng((self.config.seed, self.epoch, number))
        varied = augment(self.images[rows], random, self.strength, self._framings(rows, random))
        faces = resize(varied, self.side)[..., np.newaxis].astype(np.float32)
        return faces, self.targets[rows]

    def _framings(
        self, rows: NDArray[np.int64], random: np.random.Generator
    ) -> NDArray[np.float32] | None:
        """For a share of the faces how the engine would frame them, for the others as they are."""
        if self.framings is None:
            return None
        framed = random.random(len(rows)) < self.config.framed
        return np.where(framed[:, np.newaxis, np.newaxis], self.framings[rows], AS_IT_IS)
