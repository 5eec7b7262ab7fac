"""The networks that can be trained, from faces [n, side, side, 1] (values 0 to 255) to 7 logits."""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

from recognition.engine.align import SIDE
from recognition.engine.emotions import EMOTIONS


def build(architecture: str) -> keras.Model:
    """A new network by name: float32 [n, side, side, 1] -> float32 logits [n, 7]."""
    if architecture not in ARCHITECTURES:
        raise ValueError(
            f"no architecture {architecture!r}; choose one of {', '.join(ARCHITECTURES)}"
        )
    return ARCHITECTURES[architecture]()


@keras.saving.register_keras_serializable("mien")
class Standardize(layers.Layer):
    """Scale each face to zero mean and roughly unit variance, so lighting matters less."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, dtype="float32")

    def call(self, faces: Any) -> Any:
        mean = ops.mean(faces, axis=(1, 2, 3), keepdims=True)
        centered = faces - mean
        variance = ops.mean(ops.square(centered), axis=(1, 2, 3), keepdims=True)
        return centered * ops.rsqrt(variance + 64.0)


@keras.saving.register_keras_serializable("mien")
class NormConv(layers.Layer):
    """Convolution and batch normalization in one: the normalization is folded into the kernel.

    The statistics come from convolving a quarter of the batch, as in ghost batches (Hoffer et al.
    2017, arXiv 1705.08741). Scaling the kernel by them and convolving once saves the passes over
    all activations that a separate layer needs. At inference it is a plain convolution.
    """

    def __init__(
        self, filters: int, size: int = 3, stride: int = 1, gamma: str = "ones", **options: Any
    ) -> None:
        super().__init__(**options)
        self.filters, self.size, self.stride, self.initial_gamma = filters, size, stride, gamma

    def build(self, shape: Any) -> None:
        kernel = (self.size, self.size, shape[-1], self.filters)
        # Never read in bfloat16, which is too coarse for statistics and scales.
        self.kernel = self.add_weight(
            shape=kernel, initializer="he_normal", autocast=False, name="kernel"
        )
        self.gamma = self._add_vector("gamma", self.initial_gamma)
        self.beta = self._add_vector("beta", "zeros")
        self.moving_mean = self._add_vector("moving_mean", "zeros", trainable=False)
        self.moving_variance = self._add_vector("moving_variance", "ones", trainable=False)

    def call(self, inputs: Any, training: bool = False) -> Any:
        mean, variance = self.moving_mean, self.moving_variance
        if training:
            # Rounded up, so at least one. Plain arithmetic, because JAX needs a static slice.
            quarter = (ops.shape(inputs)[0] + 3) // 4
            sample = ops.cast(self._convolve(inputs[:quarter], self.kernel), "float32")
            mean, variance = ops.moments(sample, axes=(0, 1, 2))
            self.moving_mean.assign(self.moving_mean * 0.99 + mean * 0.01)
            self.moving_variance.assign(self.moving_variance * 0.99 + variance * 0.01)
        scale = self.gamma * ops.rsqrt(variance + 1e-3)
        shift = self.beta - mean * scale
        return self._convolve(inputs, self.kernel * scale) + ops.cast(shift, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = {"filters": self.filters, "size": self.size, "stride": self.stride}
        return {**super().get_config(), **config, "gamma": self.initial_gamma}

    def _add_vector(self, name: str, initializer: str, trainable: bool = True) -> Any:
        return self.add_weight(
            shape=(self.filters,),
            initializer=initializer,
            trainable=trainable,
            autocast=False,
            name=name,
        )

    def _convolve(self, inputs: Any, kernel: Any) -> Any:
        kernel = ops.cast(kernel, self.compute_dtype)
        return ops.conv(inputs, kernel, strides=self.stride, padding="same")


def se_resnet(
    stem: int = 32, widths: tuple[int, ...] = (48, 96, 192), blocks: int = 2, dropout: float = 0.2
) -> keras.Model:
    """Our own: a residual network with squeeze-and-excitation (Hu et al. 2018, arXiv 1709.01507).

    Takes faces of any side that is a multiple of 8. 1.6 million parameters, about 130 million
    multiply-adds per face at 48 pixels.
    """
    faces = keras.Input((None, None, 1), name="faces")
    x = layers.ReLU()(NormConv(stem)(Standardize()(faces)))
    for width in widths:
        for block in range(blocks):
            x = _residual(x, width, stride=2 if block == 0 else 1)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(dropout, seed=1)(x)
    logits = layers.Dense(len(EMOTIONS), dtype="float32", name="logits")(x)
    return keras.Model(faces, logits, name="se_resnet")


def _residual(inputs: Any, width: int, stride: int) -> Any:
    x = layers.ReLU()(NormConv(width, stride=stride)(inputs))
    # With gamma 0 a block starts as the identity, so the first steps train a shallow network (Goyal
    # et al. 2017, arXiv 1706.02677, section 5.1).
    x = NormConv(width, gamma="zeros")(x)
    gate = layers.GlobalAveragePooling2D()(x)
    gate = layers.Dense(width // 8, activation="relu")(gate)
    gate = layers.Dense(width, activation="sigmoid")(gate)
    x = layers.Multiply()([x, layers.Reshape((1, 1, width))(gate)])
    if stride > 1:
        inputs = NormConv(width, size=1)(layers.AveragePooling2D(stride)(inputs))
    return layers.ReLU()(layers.Add()([x, inputs]))


def se_resnet_wide() -> keras.Model:
    """Four times the work of `se_resnet`: too slow to deploy, but a good teacher (see teach.py)."""
    return se_resnet(widths=(96, 192, 384), dropout=0.4)


def simple_cnn() -> keras.Model:
    """The textbook network: convolution, batch normalization, max-pooling, dropout, dense."""
    faces = keras.Input((SIDE, SIDE, 1), name="faces")
    x = layers.Rescaling(1 / 127.5, offset=-1)(faces)
    for width in (32, 64, 128):
        for _ in range(2):
            x = layers.Conv2D(width, 3, padding="same", use_bias=False)(x)
            x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.Dropout(0.25)(layers.MaxPooling2D()(x))
    x = layers.Dense(256, activation="relu")(layers.Flatten()(x))
    x = layers.Dropout(0.5)(x)
    logits = layers.Dense(len(EMOTIONS), dtype="float32", name="logits")(x)
    return keras.Model(faces, logits, name="simple_cnn")


def mini_xception() -> keras.Model:
    """The network of 60,000 parameters by Arriaga et al. 2017 (arXiv 1710.07557, section 3)."""
    faces = keras.Input((SIDE, SIDE, 1), name="faces")
    x = layers.Rescaling(1 / 127.5, offset=-1)(faces)
    for _ in range(2):
        x = layers.Conv2D(8, 3, use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    for width in (16, 32, 64, 128):
        shortcut = layers.Conv2D(width, 1, strides=2, padding="same", use_bias=False)(x)
        shortcut = layers.BatchNormalization()(shortcut)
        x = layers.SeparableConv2D(width, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.SeparableConv2D(width, 3, padding="same", use_bias=False)(x)
        x = layers.MaxPooling2D(3, strides=2, padding="same")(layers.BatchNormalization()(x))
        x = layers.Add()([x, shortcut])
    x = layers.Conv2D(len(EMOTIONS), 3, padding="same")(x)
    x = layers.GlobalAveragePooling2D()(x)
    logits = layers.Activation("linear", dtype="float32", name="logits")(x)
    return keras.Model(faces, logits, name="mini_xception")


ARCHITECTURES: dict[str, Callable[[], keras.Model]] = {
    "se_resnet": se_resnet,
    "se_resnet_wide": se_resnet_wide,
    "simple_cnn": simple_cnn,
    "mini_xception": mini_xception,
}
