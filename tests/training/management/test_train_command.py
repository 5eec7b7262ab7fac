"""manage.py train turns a file of faces into a model for the engine."""

import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from recognition.engine.classifier import EmotionClassifier
from recognition.models import ModelVersion
from tests.training.drawing import write_csv
from training.core.architectures import build
from training.core.checkpoint import Epoch, Progress, save_best
from training.core.config import TrainingConfig
from training.management.commands.train import Command
from training.runs import launch


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


@pytest.mark.django_db
def test_it_stops_early_and_registers_a_version(tmp_path, capsys, settings):
    settings.MEDIA_ROOT = tmp_path / "media"
    options = ["--preset", "quick", "--epochs", "40", "--batch-size", "16", "--patience", "1"]
    # At this rate nothing is learned.
    options += ["--learning-rate", "0.000001", "--validation", "0.2", "--verbosity", "0"]
    data = write_csv(tmp_path / "faces.csv", count=140)
    call_command("train", "--data", str(data), *options, "--register")
    printed = capsys.readouterr().out

    assert printed.count("epoch ") < 40
    assert "Registered: version 1 (mini_xception)" in printed
    version = ModelVersion.objects.get()
    assert version.keras
    assert version.weights
    assert not version.imported
    assert set(version.card["figures"]) == {"validation", "PublicTest"}
    assert version.card["patience"] == 1


def test_it_offers_the_choices_and_presets_of_the_form():
    parser = Command().create_parser("manage.py", "train")
    options = ["--data", "x", "--votes", "y", "--votes-share", "0.3", "--patience", "2"]
    chosen = vars(parser.parse_args(options))

    assert {f"choose_{name}" for name in (*launch.OPTIONS, *launch.CHOICES)} <= set(chosen)
    assert (chosen["choose_votes"], chosen["choose_patience"]) == (0.3, 2)
    assert parser.get_default("preset") in launch.PRESETS


def test_it_exports_a_run_that_was_trained_elsewhere(tmp_path):
    config = TrainingConfig(architecture="mini_xception", validation=0.2, framed=0.0)
    epoch = Epoch(1, 48, 1e-3, 1.0, 2.0, 0.1, 2.0, 0.1, 0.1)
    weights = build("mini_xception").get_weights()
    best = tmp_path / "run" / "best.npz"
    best.parent.mkdir()
    save_best(best, config, Progress([epoch], 1.0, 1, weights, 1))
    call_command("train", "--data", str(write_csv(tmp_path / "faces.csv")), "--export", str(best))
    card = json.loads((tmp_path / "run" / "expression.json").read_text())
    assert card["config"]["architecture"] == "mini_xception"
    assert EmotionClassifier(tmp_path / "run" / "expression.onnx")


def test_it_says_what_is_wrong_with_a_checkpoint(tmp_path):
    data, gone = write_csv(tmp_path / "faces.csv"), tmp_path / "gone.npz"
    with pytest.raises(CommandError, match=r"gone\.npz can't be read"):
        call_command("train", "--data", str(data), "--export", str(gone))


def test_it_says_what_is_wrong_with_the_data(tmp_path):
    (tmp_path / "faces.csv").write_text("emotion,pixels,Usage\n3,1 2 3,Training\n")
    with pytest.raises(CommandError, match=r"line 2: 3 pixels instead of 2304"):
        call_command("train", "--data", str(tmp_path / "faces.csv"))


def test_a_split_without_faces_is_refused_before_the_training(tmp_path):
    data, output = str(write_csv(tmp_path / "faces.csv")), tmp_path / "run"
    options = ["--score", "PrivateTest", "--output", str(output)]
    with pytest.raises(CommandError, match="PrivateTest has no faces"):
        call_command("train", "--data", data, *options)
    assert not output.exists()


def test_it_says_what_is_wrong_with_an_option(tmp_path):
    with pytest.raises(CommandError, match="Epochs: from 1"):
        call_command("train", "--data", str(write_csv(tmp_path / "faces.csv")), "--epochs", "0")
