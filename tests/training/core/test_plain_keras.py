"""The Keras file answers as the trained network does, and knows none of our own layers."""

import keras
import numpy as np
import pytest

from recognition.engine.classifier import SHIPPED_MODEL, EmotionClassifier
from training.core import plain_keras
from training.core.architectures import ARCHITECTURES, build
from training.core.export import ParityError, drawn_faces
from training.core.figures import softmax
from training.core.fit import predict_logits


def moved(architecture: str) -> keras.Model:
    """A network whose weights and statistics are not those that it begins with."""
    model = build(architecture)
    random = np.random.default_rng(0)
    model.set_weights(
        [value + random.uniform(0, 0.05, value.shape) for value in model.get_weights()]
    )
    return model


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_the_file_answers_like_the_network_without_our_code(architecture, tmp_path, monkeypatch):
    model = moved(architecture)
    path = tmp_path / "expression.keras"
    assert plain_keras.save(model, 1.7, path) <= 1e-4
    faces = drawn_faces()
    expected = softmax(predict_logits(model, faces), 1.7)

    for name in ("NormConv", "Standardize"):
        monkeypatch.delitem(keras.saving.get_custom_objects(), f"mien>{name}")
    loaded = keras.models.load_model(path, compile=False)
    answers = loaded.predict(faces[..., np.newaxis].astype(np.float32), verbose=0)
    assert answers == pytest.approx(expected, abs=1e-4)
    assert expected.std() > 1e-3


def test_a_deviating_file_is_refused_and_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(plain_keras, "TOLERANCE", -1.0)
    with pytest.raises(ParityError):
        plain_keras.save(moved("mini_xception"), 1.0, tmp_path / "expression.keras")
    assert not list(tmp_path.iterdir())


def test_the_shipped_file_answers_like_the_network_in_use():
    loaded = keras.models.load_model(SHIPPED_MODEL.with_suffix(".keras"), compile=False)
    faces = drawn_faces()
    answers = loaded.predict(faces[..., np.newaxis].astype(np.float32), verbose=0)
    assert answers == pytest.approx(EmotionClassifier().predict(faces), abs=1e-4)
