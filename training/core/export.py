"""A trained network as an ONNX file that the engine reads, with its card beside it."""

import json
import tempfile
from collections.abc import Sequence
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

from .architectures import NormConv, Standardize, build
from .evaluate import softmax
from .fit import predict_logits

OPSET = 17
TOLERANCE = 1e-4

_EPSILON = 1e-3
"""That of NormConv, from whose statistics the kernel of a plain convolution follows."""


class ParityError(RuntimeError):
    """The exported network does not compute what the trained one does."""


def trained(architecture: str, weights: Sequence[NDArray[np.float32]]) -> keras.Model:
    """A network in float32 with these weights, in the order of `model.weights`."""
    model = build(architecture)
    model.set_weights(list(weights))
    return model


def export_onnx(model: keras.Model, temperature: float, path: Path) -> float:
    """Write faces -> probabilities as ONNX, the temperature inside; gives the largest deviation.

    The file's contract is EmotionClassifier's. It is read back and compared with the Keras network
    on random faces; a deviation above 1e-4 raises ParityError and leaves no file.
    """
    faces = keras.Input((SIDE, SIDE, 1), name="faces")
    scaled = keras.layers.Rescaling(1 / temperature)(model(faces))
    probabilities = keras.layers.Softmax(name="probabilities")(scaled)
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "expression.onnx"
        keras.Model(faces, probabilities).export(
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
        deviation = _deviation(model, temperature, exported)
        if not deviation <= TOLERANCE:
            raise ParityError(f"The exported network deviates by {deviation:.1e} from its source.")
        partial = path.with_suffix(".partial")
        partial.write_bytes(exported.read_bytes())
        partial.rename(path)
    return deviation


def write_card(card: dict[str, Any], path: Path) -> None:
    """Write what is known about a model as JSON."""
    path.write_text(json.dumps(card, indent=2) + "\n")


def drawn_faces() -> NDArray[np.uint8]:
    """Random faces [64, 48, 48] that show a deviation if there is any."""
    random = np.random.default_rng(0)
    faces = random.integers(0, 256, (64, SIDE, SIDE), np.uint8)
    # Flat and nearly flat faces are where normalization divides by little.
    faces[:8] = random.integers(0, 256, (8, 1, 1))
    faces[8:16] = 100 + faces[8:16] // 64
    return faces


def _deviation(model: keras.Model, temperature: float, exported: Path) -> float:
    faces = drawn_faces()
    expected = softmax(predict_logits(model, faces), temperature)
    return float(np.abs(EmotionClassifier(exported).predict(faces) - expected).max())


def _name_ends(graph: onnx.GraphProto) -> None:
    """Give the input and output the names of the contract, whatever the exporter called them."""
    names = {graph.input[0].name: "faces", graph.output[0].name: "probabilities"}
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for value, name in ((graph.input[0], "faces"), (graph.output[0], "probabilities")):
        value.name = name
        value.type.tensor_type.shape.dim[0].dim_param = "n"


def plain(model: keras.Model, temperature: float) -> keras.Model:
    """The network as in use: faces float32 [n, 48, 48, 1], 0 to 255, to probabilities [n, 7].

    Layers of ours become the layers of Keras that compute the same once training is over.
    """
    faces = keras.Input((SIDE, SIDE, 1), name="faces")
    copy = keras.models.clone_model(model, input_tensors=faces, clone_function=_plain_layer)
    for layer in model.layers:
        if weights := _plain_weights(layer):
            copy.get_layer(layer.name).set_weights(weights)
    scaled = keras.layers.Rescaling(1 / temperature)(copy.output)
    probabilities = keras.layers.Softmax(name="probabilities")(scaled)
    return keras.Model(faces, probabilities, name=model.name)


def export_keras(model: keras.Model, temperature: float, path: Path) -> float:
    """Write the network as in use to a .keras file; gives the largest deviation.

    As in `export`, the file is read back and compared with its source; ParityError leaves none.
    """
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "expression.keras"
        plain(model, temperature).save(saved)
        loaded = keras.models.load_model(saved, compile=False, safe_mode=True)
        faces = drawn_faces()
        expected = softmax(predict_logits(model, faces), temperature)
        deviation = float(np.abs(predict_logits(loaded, faces) - expected).max())
        if not deviation <= TOLERANCE:
            raise ParityError(f"The Keras file deviates by {deviation:.1e} from its source.")
        partial = path.with_suffix(".partial")
        partial.write_bytes(saved.read_bytes())
        partial.rename(path)
    return deviation


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
