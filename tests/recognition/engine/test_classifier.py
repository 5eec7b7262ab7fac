"""A model file is checked before it is used, and its answers are probabilities."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from recognition.engine.classifier import SHIPPED_MODEL, EmotionClassifier
from recognition.engine.errors import ModelError


def write_model(
    path: Path,
    *,
    input_name="faces",
    input_shape=("n", 48, 48, 1),
    input_type=TensorProto.FLOAT,
    output_name="probabilities",
    classes=7,
) -> Path:
    """A one-layer network that meets the contract by default."""
    pixels = int(np.prod(input_shape[1:]))
    weights = np.random.default_rng(0).normal(size=(pixels, classes)).astype(np.float32) / 5000
    nodes = [
        helper.make_node("Cast", [input_name], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["floats"], ["pixels"]),
        helper.make_node("Gemm", ["pixels", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], [output_name]),
    ]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(input_name, input_type, input_shape)],
        [helper.make_tensor_value_info(output_name, TensorProto.FLOAT, [input_shape[0], classes])],
        [numpy_helper.from_array(weights, "weights")],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=opset), str(path))
    return path


def faces(count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, 48, 48), dtype=np.uint8)


@pytest.fixture
def classifier(tmp_path) -> EmotionClassifier:
    return EmotionClassifier(write_model(tmp_path / "model.onnx"))


@pytest.mark.parametrize("count", [0, 1, 3, 32, 33, 100])
def test_any_number_of_faces_is_answered(classifier, count):
    probabilities = classifier.predict(faces(count))
    assert (probabilities.shape, probabilities.dtype) == ((count, 7), np.float32)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_a_face_gets_the_same_answer_alone_and_in_a_batch(classifier):
    batch = faces(40)
    alone = np.concatenate([classifier.predict(face[None]) for face in batch])
    assert np.allclose(classifier.predict(batch), alone, atol=1e-6)


def test_the_shipped_model_follows_the_contract():
    probabilities = EmotionClassifier().predict(faces(2))
    assert probabilities.shape == (2, 7)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_the_shipped_model_is_the_default():
    assert SHIPPED_MODEL.name == "expression.onnx"


def test_the_bytes_of_a_file_do_as_well_as_the_file(tmp_path):
    path = write_model(tmp_path / "model.onnx")
    expected = EmotionClassifier(path).predict(faces(3))
    assert np.array_equal(EmotionClassifier(path.read_bytes()).predict(faces(3)), expected)


def test_bytes_that_are_no_network_are_refused():
    with pytest.raises(ModelError) as caught:
        EmotionClassifier(b"no network at all")
    assert caught.value.code == "invalid_file"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"input_name": "images"}, "wrong_input"),
        ({"input_shape": ("n", 64, 64, 1)}, "wrong_input"),
        ({"input_shape": ("n", 48, 48, 3)}, "wrong_input"),
        ({"input_shape": (1, 48, 48, 1)}, "wrong_input"),
        ({"input_type": TensorProto.UINT8}, "wrong_input"),
        ({"output_name": "logits_out"}, "wrong_output"),
        ({"classes": 8}, "wrong_output"),
    ],
)
def test_a_model_that_breaks_the_contract_is_refused(tmp_path, change, code):
    with pytest.raises(ModelError) as caught:
        EmotionClassifier(write_model(tmp_path / "model.onnx", **change))
    assert caught.value.code == code
    assert "model.onnx" in caught.value.message


def test_a_file_that_is_no_network_is_refused(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no network at all")
    with pytest.raises(ModelError) as caught:
        EmotionClassifier(path)
    assert caught.value.code == "invalid_file"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError) as caught:
        EmotionClassifier(tmp_path / "model.onnx")
    assert caught.value.code == "missing_file"
