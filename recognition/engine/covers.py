"""Whether something hides a part of a face: a mask, a scarf, sunglasses, a hand."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .sessions import WEIGHTS, open_session

COVERED = 0.8
"""From this probability on a face counts as partly covered."""


class CoverNetwork:
    """A network of 40,000 weights that reads the same 48x48 gray faces as the classifier.

    It learned from FER2013's faces with covers drawn onto half of them (training/core/covered.py).
    """

    def __init__(self, path: Path = WEIGHTS / "covered.onnx", threads: int = 1) -> None:
        self._session = open_session(path, threads)

    def predict(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The probability [n] that a part of each face uint8 [n, 48, 48] is covered; n may be 0."""
        if len(faces) == 0:
            return np.empty(0, np.float32)
        (covered,) = self._session.run(["covered"], {"faces": faces[..., None].astype(np.float32)})
        return np.asarray(covered[:, 0], np.float32)
