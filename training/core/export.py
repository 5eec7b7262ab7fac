"""A trained network as files: ONNX for the engine, an int8 variant of it, and .keras for Keras."""

import json
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from recognition.engine.align import SIDE
from recognition.engine.classifier import EmotionClassifier

from .architectures import NormConv, Standardize
from .evaluate import Calibration, Predict
from .fit import predict_logits

OPSET = 17
TOLERANCE = 1e-4

_EPSILON = 1e-3
"""The epsilon of NormConv, needed to turn its statistics into the kernel of a convolution."""

_BATCH = 64
_PERCENTILE = 99.99
"""Of the activations. Cutting off the few beyond leaves finer steps for all the others."""


class ParityError(RuntimeError):
    """The exported network doesn't compute what the trained one does."""


def export_onnx(model: keras.Model, calibration: Calibration, path: Path) -> float:
    """Write faces -> probabilities as ONNX, calibration included; gives the largest deviation.

    Inputs and outputs are those that EmotionClassifier expects. The file is read back and compared
    with `model` on `drawn_faces`. ParityError if a probability deviates by more than 1e-4; `path`
    isn't written then.
    """
    faces = keras.Input((SIDE, SIDE, 1), name="faces")
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "expression.onnx"
        keras.Model(faces, _probabilities(model(faces), calibration)).export(
            str(exported),
            format="onnx",
            verbose=False,
            input_signature=[keras.InputSpec("float32", (None, SIDE, SIDE, 1), name="faces")],
            opset_version=OPSET,
        )
        network = onnx.load(str(exported))
        _name_ends(network.graph)
        onnx.checker.check_model(network)
        onnx.save(network, str(exported))
        deviation = _deviation(model, calibration, EmotionClassifier(exported).predict)
        _put(exported, path)
    return deviation


def export_keras(model: keras.Model, calibration: Calibration, path: Path) -> float:
    """Write faces -> probabilities as a .keras file; gives the largest deviation.

    It has only layers that come with Keras, so it opens wherever Keras is installed. It is checked
    like the file of `export_onnx`.
    """
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "expression.keras"
        plain(model, calibration).save(saved)
        loaded = keras.models.load_model(saved, compile=False, safe_mode=True)
        deviation = _deviation(model, calibration, lambda faces: predict_logits(loaded, faces))
        _put(saved, path)
    return deviation


def quantize(model: Path, faces: NDArray[np.uint8], path: Path) -> None:
    """Write the ONNX file `model` with int8 convolutions to `path`, for about half the time.

    Weights are scaled per channel, and activations by the range that nearly all of them take on
    `faces`, uint8 [n, 48, 48]; about a thousand training faces are enough (Jacob et al. 2018, arXiv
    1712.05877). Everything but convolutions stays float. Inputs and outputs stay the same.
    """
    with tempfile.TemporaryDirectory() as folder:
        # Fold constants first: a convolution can't be scaled if its weights are yet to be computed.
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
            # Without VNNI, processors add two products in 16 bits, which 8-bit weights overflow.
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        _put(quantized, path)


def write_card(card: dict[str, Any], path: Path) -> None:
    """Write a model card as JSON."""
    path.write_text(json.dumps(card, indent=2) + "\n")


def drawn_faces() -> NDArray[np.uint8]:
    """Random faces [64, 48, 48] on which two networks differ if they differ at all."""
    random = np.random.default_rng(0)
    faces = random.integers(0, 256, (64, SIDE, SIDE), np.uint8)
    # In flat and nearly flat faces, normalization divides by very little.
    faces[:8] = random.integers(0, 256, (8, 1, 1))
    faces[8:16] = 100 + faces[8:16] // 64
    return faces


def plain(model: keras.Model, calibration: Calibration) -> keras.Model:
    """A copy for inference: faces float32 [n, 48, 48, 1], 0 to 255, to probabilities [n, 7].

    Our own layers are replaced by Keras layers that compute the same once training is over.
    """
    faces = keras.Input((SIDE, SIDE, 1), name="faces")
    copy = keras.models.clone_model(model, input_tensors=faces, clone_function=_plain_layer)
    for layer in model.layers:
        if weights := _plain_weights(layer):
            copy.get_layer(layer.name).set_weights(weights)
    return keras.Model(faces, _probabilities(copy.output, calibration), name=model.name)


def _plain_layer(layer: Any) -> Any:
    if isinstance(layer, Standardize):
        return keras.layers.LayerNormalization(
            axis=(1, 2, 3), epsilon=64.0, center=False, scale=False, name=layer.name
        )
    if isinstance(layer, NormConv):
        return keras.layers.Conv2D(
            layer.filters, layer.size, strides=layer.stride, padding="same", name=layer.name
        )
    return layer.__class__.from_config(layer.get_config())


def _plain_weights(layer: Any) -> list[Any]:
    if isinstance(layer, NormConv):
        kernel, gamma, beta, mean, variance = (
            keras.ops.convert_to_numpy(value)
            for value in (
                *(layer.kernel, layer.gamma, layer.beta),
                *(layer.moving_mean, layer.moving_variance),
            )
        )
        scale = gamma / np.sqrt(variance + _EPSILON)
        return [kernel * scale, beta - mean * scale]
    return list(layer.get_weights())


def _probabilities(logits: Any, calibration: Calibration) -> Any:
    factor = 1 / calibration.temperature
    offsets = (calibration.offsets * factor).tolist() if calibration.strength else 0.0
    scaled = keras.layers.Rescaling(factor, offset=offsets)(logits)
    return keras.layers.Softmax(name="probabilities")(scaled)


def _name_ends(graph: onnx.GraphProto) -> None:
    """Give the input and the output their expected names, whatever the exporter called them."""
    names = {graph.input[0].name: "faces", graph.output[0].name: "probabilities"}
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for value, name in ((graph.input[0], "faces"), (graph.output[0], "probabilities")):
        value.name = name
        value.type.tensor_type.shape.dim[0].dim_param = "n"


def _deviation(model: keras.Model, calibration: Calibration, exported: Predict) -> float:
    """The largest difference between two networks' probabilities; ParityError if it's too large."""
    faces = drawn_faces()
    expected = calibration.apply(predict_logits(model, faces))
    deviation = float(np.abs(exported(faces) - expected).max())
    # Written this way round, it refuses NaN too.
    if not deviation <= TOLERANCE:
        raise ParityError(f"The exported network deviates from its source by {deviation:.1e}.")
    return deviation


def _put(file: Path, path: Path) -> None:
    """Copy a finished file to `path`, where nobody ever sees half of it."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(file.read_bytes())
    partial.rename(path)


class _Calibration(CalibrationDataReader):
    def __init__(self, faces: NDArray[np.uint8]) -> None:
        # Whole batches only: the ranges are computed from arrays of one shape.
        starts = range(0, max(1, len(faces) - _BATCH + 1), _BATCH)
        self._batches = iter([faces[start : start + _BATCH] for start in starts])

    def get_next(self) -> dict[str, Any] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"faces": batch[..., np.newaxis].astype(np.float32)}
