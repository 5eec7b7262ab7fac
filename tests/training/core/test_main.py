"""python -m training.core packs data, and walks from it to a model without Django."""

import re
import subprocess
import sys

from recognition.engine.classifier import EmotionClassifier
from tests.training.drawing import write_csv
from training.core.__main__ import STEPS, main
from training.core.checkpoint import read_best


def test_it_packs_data_and_trains_on_the_sheets(tmp_path, capsys):
    data, sheets = write_csv(tmp_path / "faces.csv", count=84), tmp_path / "sheets"
    cache = ["--cache", str(tmp_path / "cache")]
    assert main(["--data", str(data), "--sheets", str(sheets), *cache]) == 0
    options = ["--preset", "quick", "--architecture", "mini_xception", "--precision", "float32"]
    options += ["--epochs", "1", "--batch-size", "16", "--output", str(tmp_path / "run")]
    assert main(["--data", str(sheets), *options, *cache]) == 0
    printed = capsys.readouterr().out
    assert "epoch 1: 48 px" in printed
    steps = re.findall(r"^(\d)\. (\w+): .", printed, re.MULTILINE)
    assert steps == [(str(number), step) for number, step in enumerate(STEPS, start=1)]
    assert EmotionClassifier(tmp_path / "run" / "expression.onnx")

    config, progress = read_best(tmp_path / "run" / "best.npz")
    assert (config.architecture, progress.best_epoch) == ("mini_xception", 1)
    whole = (tmp_path / "run" / "checkpoint.npz").stat().st_size
    assert (tmp_path / "run" / "best.npz").stat().st_size < whole / 2


def test_without_tensorflow_s_export_it_stops_at_the_weights(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("training.core.__main__.find_spec", lambda name: None)
    data, run = write_csv(tmp_path / "faces.csv", count=84), tmp_path / "run"
    options = ["--preset", "quick", "--precision", "float32", "--epochs", "1", "--output", str(run)]
    assert main(["--data", str(data), "--cache", str(tmp_path / "cache"), *options]) == 0
    assert "manage.py train --data DATA --export best.npz" in capsys.readouterr().out
    assert sorted(path.name for path in run.iterdir()) == ["best.npz", "checkpoint.npz"]


def test_it_says_what_is_wrong(tmp_path, capsys):
    assert main(["--data", str(tmp_path / "nowhere.csv")]) == 1
    assert "nothing at" in capsys.readouterr().err


def test_it_loads_neither_django_nor_the_export():
    code = "import sys, training.core.__main__; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"django", "onnx", "tf2onnx"} & set(ran.stdout.split())
