"""A release calibrates on the validation part, and keeps the int8 variant only where it is good."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from recognition.engine.classifier import EmotionClassifier
from tests.training.drawing import make_faces
from training.core import architectures
from training.core import release as releasing
from training.core.checkpoint import Epoch, Progress
from training.core.config import TrainingConfig
from training.core.data.faces import AS_IT_IS


def tiny() -> keras.Model:
    faces = keras.Input((48, 48, 1), name="faces")
    x = architectures.NormConv(8, size=5, stride=4)(architectures.Standardize()(faces))
    x = keras.layers.AveragePooling2D((1, 12))(keras.layers.ReLU()(x))
    return keras.Model(faces, keras.layers.Dense(7)(keras.layers.Flatten()(x)))


CONFIG = TrainingConfig(architecture="tiny", validation=0.2, framed=0.0)


@pytest.fixture(autouse=True)
def tiny_network(monkeypatch):
    monkeypatch.setitem(architectures.ARCHITECTURES, "tiny", tiny)


@pytest.fixture(scope="module")
def progress():
    """One finished epoch of a network that has learned a little."""
    keras.utils.set_random_seed(0)
    model, faces = tiny(), make_faces(140, seed=1)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    model.fit(faces.images[..., np.newaxis].astype(np.float32), faces.labels, epochs=15, verbose=0)
    epoch = Epoch(1, 48, 1e-3, 1.0, 2.0, 0.1, 2.0, 0.1, 0.1)
    return Progress([epoch], 1.0, 1, model.get_weights(), 1)


def test_framed_validation_has_figures_and_takes_part_in_the_calibration(progress, tmp_path):
    shifted = np.tile(AS_IT_IS, (140, 1, 1))
    shifted[:, 1, 2] = 8
    faces = replace(make_faces(140), framings=shifted)
    plain = releasing.release(CONFIG, faces, progress, tmp_path / "plain")
    framed = releasing.release(replace(CONFIG, framed=0.4), faces, progress, tmp_path / "framed")
    assert set(plain["figures"]) == {"validation"}
    assert set(framed["figures"]) == {"validation", "validation_framed"}
    assert framed["figures"]["validation_framed"]["faces"] == 28
    # A shift this large misleads the network, so confident outputs would be wrong.
    assert framed["temperature"] > plain["temperature"]


@pytest.mark.parametrize("cost", [1.0, -1.0])
def test_the_int8_variant_is_kept_where_it_costs_little(progress, tmp_path, monkeypatch, cost):
    monkeypatch.setattr(releasing, "INT8_COST", cost)
    card = releasing.release(CONFIG, make_faces(140), progress, tmp_path)
    assert card["int8"]["kept"] == (cost > 0)
    assert set(card["int8"]["figures"]) == {"validation"}
    assert (tmp_path / releasing.INT8).is_file() == (cost > 0)
    if cost > 0:
        faces = make_faces(7).images
        assert EmotionClassifier(tmp_path / releasing.INT8).predict(faces).shape == (7, 7)


def test_a_run_without_an_epoch_cannot_be_released(tmp_path):
    with pytest.raises(ValueError, match="finished an epoch"):
        releasing.release(CONFIG, make_faces(14), Progress(), tmp_path)
