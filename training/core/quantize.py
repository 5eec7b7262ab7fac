"""A smaller, faster variant of an exported network: its convolutions in 8-bit whole numbers."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

_BATCH = 64
_PERCENTILE = 99.99
"""Of the activations; the few beyond are cut off, or all others would be told apart less finely."""


def quantize(model: Path, faces: NDArray[np.uint8], path: Path) -> None:
    """Write `model` with int8 convolutions to `path`; the file's contract stays the same.

    Weights are scaled per channel, activations by the range that nearly all of them take on
    `faces`, uint8 [n, 48, 48]: about a thousand training faces (Jacob et al. 2018, arXiv
    1712.05877). What is not a convolution stays float.
    """
    with tempfile.TemporaryDirectory() as folder:
        # Folds constants first: a convolution whose weights are still computed cannot be scaled.
        folded, quantized = Path(folder) / "folded.onnx", Path(folder) / "quantized.onnx"
        quant_pre_process(model, folded, skip_symbolic_shape=True)
        quantize_static(
            folded,
            quantized,
            _Calibration(faces),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            calibrate_method=CalibrationMethod.Percentile,
            extra_options={"CalibPercentile": _PERCENTILE},
            per_channel=True,
            # Processors without VNNI add pairs of products in 16 bit, which 8-bit weights overflow.
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        partial = path.with_suffix(".partial")
        partial.write_bytes(quantized.read_bytes())
        partial.rename(path)


class _Calibration(CalibrationDataReader):
    def __init__(self, faces: NDArray[np.uint8]) -> None:
        # Whole batches only: the ranges are read from arrays of one shape.
        starts = range(0, max(1, len(faces) - _BATCH + 1), _BATCH)
        self._batches = iter([faces[start : start + _BATCH] for start in starts])

    def get_next(self) -> dict[str, Any] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"faces": batch[..., np.newaxis].astype(np.float32)}
