"""A trained network as a .keras file of Keras's own layers: it opens wherever Keras is."""

import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from recognition.engine.align import SIDE

from .architectures import NormConv, Standardize
from .export import TOLERANCE, ParityError, drawn_faces
from .figures import softmax
from .fit import predict_logits

_EPSILON = 1e-3
"""That of NormConv, from whose statistics the kernel of a plain convolution follows."""


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


def save(model: keras.Model, temperature: float, path: Path) -> float:
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
