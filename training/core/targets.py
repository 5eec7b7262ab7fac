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

    A share `votes` follows the FER+ votes where a row has any, a share `taught` the teachers where
    they have labelled a row, a share `smoothing` is spread evenly, and the rest is the label.
    ValueError where the faces were loaded without the teachers' labels that the config asks for.
    """
    label = np.eye(len(EMOTIONS), dtype=np.float32)[faces.labels[rows]]
    sure = 1 - config.votes - config.taught - config.smoothing
    targets = sure * label + config.votes * _or_label(faces.votes[rows], label)
    if config.taught:
        if faces.taught is None:
            raise ValueError("The data were loaded without the teachers' labels.")
        targets += config.taught * _or_label(faces.taught[rows], label)
    return np.asarray(targets + config.smoothing / len(EMOTIONS), np.float32)


def _or_label(shares: NDArray[np.float32], label: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shares [n, 7], and the label where a row has none."""
    return np.where(np.asarray(shares).sum(axis=1, keepdims=True) > 0, shares, label)


def epoch_rows(faces: Faces, rows: NDArray[np.int64], config: TrainingConfig) -> NDArray[np.int64]:
    """The rows of one epoch: what taggers found to be no face left out, rare classes repeated."""
    kept = rows[faces.is_face[rows]]
    if config.faces is not None and config.faces < len(kept):
        kept = np.sort(np.random.default_rng(config.seed).permutation(kept)[: config.faces])
    return np.repeat(kept, np.array(config.repeats)[faces.labels[kept]])
