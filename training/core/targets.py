"""What the network is trained towards: the label, softened by the taggers' votes."""

import numpy as np
from numpy.typing import NDArray

from recognition.engine.emotions import EMOTIONS

from .config import TrainingConfig
from .faces import Faces


def soft_targets(
    faces: Faces, rows: NDArray[np.int64], config: TrainingConfig
) -> NDArray[np.float32]:
    """Target distributions of rows: float32 [n, 7], each summing to 1.

    A share `votes` follows the FER+ votes where a row has any, a share `smoothing` is spread
    evenly, and the rest is the label.
    """
    label = np.eye(len(EMOTIONS), dtype=np.float32)[faces.labels[rows]]
    votes = np.asarray(faces.votes[rows])
    votes = np.where(votes.sum(axis=1, keepdims=True) > 0, votes, label)
    sure = 1 - config.votes - config.smoothing
    targets = sure * label + config.votes * votes + config.smoothing / len(EMOTIONS)
    return np.asarray(targets, np.float32)


def epoch_rows(faces: Faces, rows: NDArray[np.int64], config: TrainingConfig) -> NDArray[np.int64]:
    """The rows of one epoch: what taggers found to be no face left out, rare classes repeated."""
    kept = rows[faces.is_face[rows]]
    return np.repeat(kept, np.array(config.repeats)[faces.labels[kept]])
