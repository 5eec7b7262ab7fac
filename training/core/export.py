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

from recognition.engine.align import SIDE
from recognition.engine.classifier import EmotionClassifier

from .architectures import build
from .figures import softmax
from .fit import predict_logits

OPSET = 17
TOLERANCE = 1e-4


class ParityError(RuntimeError):
    """The exported network does not compute what the trained one does."""


def trained(architecture: str, weights: Sequence[NDArray[np.float32]]) -> keras.Model:
    """A network in float32 with these weights, in the order of `model.weights`."""
    model = build(architecture)
    model.set_weights(list(weights))
    return model


def export(model: keras.Model, temperature: float, path: Path) -> float:
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
