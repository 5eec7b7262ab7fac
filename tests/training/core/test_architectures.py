"""Each network gives seven logits; ours is small and takes frames of several sides."""

import keras
import numpy as np
import pytest

from training.core.architectures import ARCHITECTURES, NormConv, build


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_it_gives_seven_logits(name):
    model = build(name)
    logits = keras.ops.convert_to_numpy(model(np.full((2, 48, 48, 1), 90, np.float32)))
    assert logits.shape == (2, 7)
    assert np.isfinite(logits).all()


def test_ours_is_small_and_takes_smaller_frames():
    model = build("se_resnet")
    assert model.count_params() < 2_000_000
    assert model(np.zeros((1, 32, 32, 1), np.float32)).shape == (1, 7)


def test_ours_does_not_mind_contrast():
    keras.utils.set_random_seed(0)
    model = build("se_resnet")
    face = np.random.default_rng(0).integers(0, 200, (1, 48, 48, 1)).astype(np.float32)
    bright, dim = (keras.ops.convert_to_numpy(model(value)) for value in (face, face * 0.6 + 20))
    assert np.abs(bright - dim).max() < 0.05 * np.abs(bright).max()


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="choose one of se_resnet"):
        build("resnet5000")


def test_norm_conv_normalizes_like_batch_normalization():
    """In training, outputs have mean 0 and variance 1 on the statistics' faces."""
    layer = NormConv(8)
    inputs = np.random.default_rng(1).normal(3, 5, (16, 12, 12, 4)).astype(np.float32)
    outputs = keras.ops.convert_to_numpy(layer(inputs, training=True))[:4]
    assert np.abs(outputs.mean(axis=(0, 1, 2))).max() < 1e-3
    assert np.abs(outputs.var(axis=(0, 1, 2)) - 1).max() < 1e-2


def test_norm_conv_learns_the_statistics_it_uses_later():
    layer = NormConv(8)
    inputs = np.random.default_rng(2).normal(3, 5, (16, 12, 12, 4)).astype(np.float32)
    layer(inputs, training=True)
    first = keras.ops.convert_to_numpy(layer.moving_mean)
    for _ in range(19):
        layer(inputs, training=True)
    learned = (1 - 0.99**20) / (1 - 0.99)
    assert keras.ops.convert_to_numpy(layer.moving_mean) == pytest.approx(first * learned, rel=1e-3)
