"""The int8 variant answers like its source, in a smaller file with the same contract."""

import json

import keras
import numpy as np
import pytest

from recognition.engine.classifier import SHIPPED_MODEL, EmotionClassifier
from tests.training.drawing import draw_faces
from training.core.architectures import NormConv, Standardize
from training.core.export import export
from training.core.quantize import quantize


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    keras.utils.set_random_seed(0)
    faces = keras.Input((None, None, 1), name="faces")
    x = Standardize()(faces)
    for width in (32, 64):
        x = keras.layers.ReLU()(NormConv(width, stride=4)(x))
    logits = keras.layers.Dense(7)(keras.layers.GlobalAveragePooling2D()(x))
    path = tmp_path_factory.mktemp("source") / "expression.onnx"
    export(keras.Model(faces, logits), 1.0, path)
    return path


def test_the_shipped_variant_is_of_the_shipped_network():
    """The files are of one release: nothing else would notice that one of them is older."""
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
