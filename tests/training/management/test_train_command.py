"""manage.py train goes from a file of faces to a model that the engine reads."""

import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from recognition.engine.classifier import EmotionClassifier
from tests.training.drawing import write_csv


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "var"


def test_it_trains_exports_and_writes_the_card(tmp_path, capsys):
    data, output = write_csv(tmp_path / "faces.csv.gz", count=84), tmp_path / "model"
    options = ["--architecture", "mini_xception", "--precision", "float32", "--verbosity", "0"]
    options += ["--preset", "quick", "--epochs", "1", "--batch-size", "16", "--score", "PublicTest"]
    call_command("train", "--data", str(data), "--output", str(output), *options)
    assert "epoch 1" in capsys.readouterr().out

    card = json.loads((output / "expression.json").read_text())
    assert card["architecture"] == "mini_xception"
    assert card["config"]["epochs"] == card["epochs"] == 1
    assert list(card["data"]) == ["faces.csv.gz"]
    assert card["onnx_deviation"] <= 1e-4
    assert card["figures"]["PublicTest"]["faces"] == 21
    faces = np.zeros((2, 48, 48), np.uint8)
    assert EmotionClassifier(output / "expression.onnx").predict(faces).shape == (2, 7)


def test_it_says_what_is_wrong_with_the_data(tmp_path):
    (tmp_path / "faces.csv").write_text("emotion,pixels,Usage\n9,1 2 3,Training\n")
    with pytest.raises(CommandError, match="line 2: the emotion is '9'"):
        call_command("train", "--data", str(tmp_path / "faces.csv"))


def test_it_says_what_is_wrong_with_an_option(tmp_path):
    with pytest.raises(CommandError, match="epochs"):
        call_command("train", "--data", str(write_csv(tmp_path / "faces.csv")), "--epochs", "0")
