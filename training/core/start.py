"""Weights that a run begins with instead of random ones.

`first.npz` holds those that the shipped network had before it learned from `taught.npz`: see
docs/explanation/how-the-model-was-made.md. They go with the split of FER2013 by seed 7, of which they have seen 95 %.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .checkpoint import read_best
from .config import RANDOM, TrainingConfig
from .faces import Faces
from .taught import TAUGHT, read_taught

_FOLDER = Path(__file__).parent


def starting_weights(
    config: TrainingConfig, faces: Faces, held_out: NDArray[np.int64]
) -> list[NDArray[np.float32]] | None:
    """The weights to begin with, in the order of `model.weights`; None for random ones.

    ValueError where they have learned faces that this run holds out: its figures on these would be
    too good.
    """
    if config.start == RANDOM:
        return None
    # The teachers labelled the same faces that these weights have learned.
    if read_taught(TAUGHT, faces)[held_out].any():
        raise ValueError(
            "The weights that this run begins with have learned some of the faces that it holds "
            f"out: leave seed and validation as they are, or begin with {RANDOM} weights."
        )
    _, progress = read_best(_FOLDER / f"{config.start}.npz")
    return progress.best
