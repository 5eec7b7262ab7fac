"""Reads the expression of 48x48 gray faces with a network in an ONNX file."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .align import SIDE
from .emotions import EMOTIONS
from .errors import ModelError
from .sessions import name_of, open_session

if TYPE_CHECKING:
    import onnxruntime

SHIPPED_MODEL = Path(__file__).parent / "weights" / "expression.onnx"
SHIPPED_INT8 = SHIPPED_MODEL.with_suffix(".int8.onnx")


class EmotionClassifier:
    """An ONNX network from a file or its bytes, run on `threads` threads.

    The file's contract: one input "faces", float32 [n, 48, 48, 1] with values 0..255 (normalization
    is inside), and an output "probabilities", float32 [n, 7] in EMOTIONS order, each row summing
    to 1. Raises ModelError: missing_file, invalid_file, wrong_input, wrong_output.
    """

    def __init__(self, model: Path | bytes = SHIPPED_MODEL, threads: int = 1) -> None:
        self._session = open_session(model, threads)
        self._check(name_of(model))

    def predict(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities [n, 7] in EMOTIONS order for uint8 gray faces [n, 48, 48]; n may be 0."""
        if len(faces) == 0:
            return np.empty((0, len(EMOTIONS)), dtype=np.float32)
        batches = [
            self._session.run(["probabilities"], {"faces": batch[..., None].astype(np.float32)})[0]
            for batch in np.split(faces, range(_BATCH, len(faces), _BATCH))
        ]
        return np.concatenate(batches)

    def _check(self, name: str) -> None:
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if [node.name for node in inputs] != ["faces"] or not _fits(inputs[0], (SIDE, SIDE, 1)):
            raise ModelError(
                "wrong_input",
                f'{name} must have exactly one input, "faces", float32 [n, {SIDE}, {SIDE}, 1].',
            )
        probabilities = [node for node in outputs if node.name == "probabilities"]
        if not probabilities or not _fits(probabilities[0], (len(EMOTIONS),)):
            raise ModelError(
                "wrong_output",
                f'{name} must have an output "probabilities", float32 [n, {len(EMOTIONS)}].',
            )


# Enough to keep the CPU busy, and it bounds memory for photos of crowds.
_BATCH = 32


def _fits(node: "onnxruntime.NodeArg", shape: tuple[int, ...]) -> bool:
    """Whether this input or output is float32 with a free first dimension and then this shape."""
    return (
        node.type == "tensor(float)"
        and not isinstance(node.shape[0], int)
        and tuple(node.shape[1:]) == shape
    )
