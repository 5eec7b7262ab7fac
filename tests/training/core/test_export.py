"""Every exported file gives the trained network's outputs, or isn't written."""

import json

import keras
import numpy as np
import pytest

from recognition.engine.classifier import SHIPPED_MODEL, EmotionClassifier
from tests.training.drawing import draw_faces
from training.core.architectures import ARCHITECTURES, NormConv, Standardize, build
from training.core.evaluate import Calibration
from training.core.export import ParityError, drawn_faces, export_keras, export_onnx, quantize
from training.core.fit import predict_logits

CALIBRATION = Calibration(1.7, 0.5, (0.14, 0.015, 0.145, 0.25, 0.17, 0.11, 0.17))


@pytest.fixture
def model():
    faces = keras.Input((None, None, 1), name="faces")
    x = NormConv(8, stride=4)(Standardize()(faces))
    return keras.Model(faces, keras.layers.Dense(7)(keras.layers.GlobalMaxPooling2D()(x)))


def test_the_file_answers_like_the_network(model, tmp_path):
    path = tmp_path / "expression.onnx"
    assert export_onnx(model, CALIBRATION, path) <= 1e-4
    faces = np.random.default_rng(0).integers(0, 256, (40, 48, 48), np.uint8)
    expected = CALIBRATION.apply(predict_logits(model, faces))
    assert EmotionClassifier(path).predict(faces) == pytest.approx(expected, abs=1e-4)


def test_a_deviating_export_is_refused_and_leaves_no_file(model, tmp_path, monkeypatch):
    monkeypatch.setattr("training.core.export.TOLERANCE", -1.0)
    with pytest.raises(ParityError):
        export_onnx(model, Calibration(), tmp_path / "expression.onnx")
    assert not list(tmp_path.iterdir())


def moved(architecture: str) -> keras.Model:
    """A network with non-initial weights and statistics."""
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
    assert export_keras(model, CALIBRATION, path) <= 1e-4
    faces = drawn_faces()
    expected = CALIBRATION.apply(predict_logits(model, faces))

    for name in ("NormConv", "Standardize"):
        monkeypatch.delitem(keras.saving.get_custom_objects(), f"mien>{name}")
    loaded = keras.models.load_model(path, compile=False)
    answers = loaded.predict(faces[..., np.newaxis].astype(np.float32), verbose=0)
    assert answers == pytest.approx(expected, abs=1e-4)
    assert expected.std() > 1e-3


def test_a_deviating_file_is_refused_and_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr("training.core.export.TOLERANCE", -1.0)
    with pytest.raises(ParityError):
        export_keras(moved("mini_xception"), Calibration(), tmp_path / "expression.keras")
    assert not list(tmp_path.iterdir())


def test_the_shipped_file_answers_like_the_network_in_use():
    loaded = keras.models.load_model(SHIPPED_MODEL.with_suffix(".keras"), compile=False)
    faces = drawn_faces()
    answers = loaded.predict(faces[..., np.newaxis].astype(np.float32), verbose=0)
    assert answers == pytest.approx(EmotionClassifier().predict(faces), abs=1e-4)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    keras.utils.set_random_seed(0)
    faces = keras.Input((None, None, 1), name="faces")
    x = Standardize()(faces)
    for width in (32, 64):
        x = keras.layers.ReLU()(NormConv(width, stride=4)(x))
    logits = keras.layers.Dense(7)(keras.layers.GlobalAveragePooling2D()(x))
    path = tmp_path_factory.mktemp("source") / "expression.onnx"
    export_onnx(keras.Model(faces, logits), Calibration(), path)
    return path


def test_the_shipped_variant_is_of_the_shipped_network():
    """The files belong to one release; nothing else would notice an older one."""
    faces, _ = draw_faces(64)
    small = SHIPPED_MODEL.with_suffix(".int8.onnx")
    answers, expected = (EmotionClassifier(path).predict(faces) for path in (small, SHIPPED_MODEL))
    assert np.abs(answers - expected).mean() < 0.02
    card = json.loads(SHIPPED_MODEL.with_suffix(".json").read_text())
    assert card["int8"]["kept"]
    assert card["int8"]["bytes"] == small.stat().st_size


def test_it_answers_like_its_source_in_a_smaller_file(source, tmp_path):
    faces, _ = draw_faces(140)
    path = tmp_path / "expression.int8.onnx"
    quantize(source, faces, path)
    assert path.stat().st_size < 0.5 * source.stat().st_size
    expected = EmotionClassifier(source).predict(faces)
    assert EmotionClassifier(path).predict(faces) == pytest.approx(expected, abs=0.05)
    assert not np.array_equal(EmotionClassifier(path).predict(faces), expected)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
