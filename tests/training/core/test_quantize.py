"""The int8 variant answers like its source, in a smaller file with the same contract."""

import keras
import numpy as np
import pytest

from recognition.engine.classifier import EmotionClassifier
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


def test_it_answers_like_its_source_in_a_smaller_file(source, tmp_path):
    faces, _ = draw_faces(140)
    path = tmp_path / "expression.int8.onnx"
    quantize(source, faces, path)
    assert path.stat().st_size < 0.5 * source.stat().st_size
    expected = EmotionClassifier(source).predict(faces)
    assert EmotionClassifier(path).predict(faces) == pytest.approx(expected, abs=0.05)
    assert not np.array_equal(EmotionClassifier(path).predict(faces), expected)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
