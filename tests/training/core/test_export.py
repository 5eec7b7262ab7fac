"""An exported network answers as the trained one does, with the temperature inside."""

import keras
import numpy as np
import pytest

from recognition.engine.classifier import EmotionClassifier
from training.core import export as exporting
from training.core.architectures import NormConv, Standardize
from training.core.figures import softmax
from training.core.fit import predict_logits


@pytest.fixture
def model():
    faces = keras.Input((None, None, 1), name="faces")
    x = NormConv(8, stride=4)(Standardize()(faces))
    return keras.Model(faces, keras.layers.Dense(7)(keras.layers.GlobalMaxPooling2D()(x)))


def test_the_file_answers_like_the_network(model, tmp_path):
    path = tmp_path / "expression.onnx"
    assert exporting.export(model, 1.7, path) <= 1e-4
    faces = np.random.default_rng(0).integers(0, 256, (40, 48, 48), np.uint8)
    expected = softmax(predict_logits(model, faces), 1.7)
    assert EmotionClassifier(path).predict(faces) == pytest.approx(expected, abs=1e-4)


def test_a_deviating_export_is_refused_and_leaves_no_file(model, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "TOLERANCE", -1.0)
    with pytest.raises(exporting.ParityError):
        exporting.export(model, 1.0, tmp_path / "expression.onnx")
    assert not list(tmp_path.iterdir())
