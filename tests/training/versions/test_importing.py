"""The real import process, with TensorFlow."""

import io
import json

import numpy as np
import pytest

from recognition.engine.classifier import EmotionClassifier
from recognition.engine.emotions import EMOTIONS
from tests.training.weights import npz
from training.core.architectures import build
from training.core.evaluate import Calibration
from training.core.export import drawn_faces
from training.core.fit import predict_logits
from training.runs.messages import JOB, WEIGHTS
from training.versions import importing


@pytest.fixture(scope="module")
def network():
    return build("mini_xception")


def carry_out(folder, content: bytes, architecture: str = "mini_xception") -> list[dict]:
    prior = {"strength": 0.5, "shares": dict.fromkeys(EMOTIONS, 0.16) | {"disgust": 0.04}}
    card = {"temperature": 2.0, "class_prior": prior, "data": {}, "bytes": 1}
    job = {"architecture": architecture, "card": card}
    (folder / JOB).write_text(json.dumps({**job, "max_bytes": 2**24}))
    (folder / WEIGHTS).write_bytes(content)
    said: list[dict] = []
    assert importing.carry_out(folder, said.append) == (said[-1]["type"] != "done")
    return said


def test_weights_become_a_model_that_answers_like_their_network(network, tmp_path):
    said = carry_out(tmp_path, npz(*network.get_weights()))
    card = json.loads((tmp_path / "expression.json").read_text())
    expected = Calibration.from_card(card).apply(predict_logits(network, drawn_faces()))

    assert [message.get("step", "done") for message in said] == ["building", "exporting", "done"]
    answers = EmotionClassifier(tmp_path / "expression.onnx").predict(drawn_faces())
    assert answers == pytest.approx(expected, abs=1e-4)
    assert (tmp_path / "expression.keras").is_file()
    assert (card["architecture"], card["temperature"]) == ("mini_xception", 2.0)
    assert card["class_prior"]["strength"] == 0.5
    assert card["parameters"] == network.count_params()
    assert card["bytes"] > 1  # this site's knowledge counts, not claims


def test_what_is_kept_can_be_imported_again(network, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    facts = {"config": {"architecture": "mini_xception"}}
    carry_out(first, npz(*network.get_weights(), facts=facts))
    kept = (first / "best.npz").read_bytes()

    assert carry_out(second, kept)[-1]["type"] == "done"
    with np.load(io.BytesIO(kept)) as file:
        assert json.loads(str(file["facts"])) == facts


def test_weights_of_another_network_are_refused_with_the_shapes(network, tmp_path):
    said = carry_out(tmp_path, npz(*network.get_weights()), "simple_cnn")

    assert said[-1]["code"] == "wrong_shapes"
    assert "simple_cnn has" in said[-1]["message"]
    assert not (tmp_path / "expression.onnx").exists()


def test_arrays_of_the_wrong_shape_are_named(network, tmp_path):
    weights = network.get_weights()
    weights[0] = np.zeros((5, 5, 1, 8), np.float32)
    said = carry_out(tmp_path, npz(*weights))

    assert "must be 3 × 3 × 1 × 8 and is 5 × 5 × 1 × 8" in said[-1]["message"]
