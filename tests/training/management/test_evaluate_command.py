"""manage.py evaluate prints and draws a model's metrics; for a file, without a database."""

import json
import subprocess
import sys
from hashlib import sha256

import pytest
from django.core.management import CommandError, call_command

from recognition.engine.classifier import SHIPPED_MODEL
from recognition.registry import registry
from tests.training.drawing import write_csv


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "var"


def run(capsys, *arguments) -> dict:
    call_command("evaluate", "--json", *map(str, arguments))
    return json.loads(capsys.readouterr().out)


def test_it_prints_the_figures_of_the_shipped_model(tmp_path, capsys):
    data = write_csv(tmp_path / "faces.csv", count=40)
    facts = run(capsys, "--data", data, "--split", "PublicTest", "--output", tmp_path / "plots")
    assert facts["faces"] == 10
    assert set(facts) >= {"accuracy", "macro_f1", "ece", "per_class", "confusion"}
    assert set(facts["per_class"]["happy"]) == {"precision", "recall", "f1", "support"}
    for path in ("confusion.png", "reliability.png"):
        assert (tmp_path / "plots" / path).stat().st_size > 5000


def test_it_prints_a_table_for_people(tmp_path, capsys):
    data = write_csv(tmp_path / "faces.csv", count=40)
    call_command("evaluate", "--data", str(data), "--format", "svg")
    printed = capsys.readouterr().out
    assert "accuracy" in printed
    assert "surprise" in printed
    assert (tmp_path / "var" / "evaluation" / "confusion.svg").is_file()


def test_it_draws_the_surest_mistakes_of_each_class(tmp_path, capsys):
    data = write_csv(tmp_path / "faces.csv", count=40)
    facts = run(capsys, "--data", data, "--mistakes", "3", "--output", tmp_path / "plots")
    sheets = sorted(path.stem for path in (tmp_path / "plots").glob("mistakes-*.png"))
    assert sheets
    assert set(sheets) == set(facts["plots"]) - {"confusion", "reliability"}


def test_a_variant_shares_the_card_of_its_model(tmp_path, capsys):
    model = tmp_path / "expression.int8.onnx"
    model.write_bytes(SHIPPED_MODEL.read_bytes())
    data = write_csv(tmp_path / "faces.csv", count=200)
    card = {"data": {"faces.csv": sha256(data.read_bytes()).hexdigest()}}
    card["config"] = {"validation": 0.2}
    (tmp_path / "expression.json").write_text(json.dumps(card))
    facts = run(capsys, "--data", data, "--model", model, "--split", "validation")
    assert facts["faces"] == 22  # a fifth of what is left of 150 without near-duplicates


def test_the_validation_part_of_foreign_data_is_unknown(tmp_path):
    data = write_csv(tmp_path / "faces.csv", count=200)
    with pytest.raises(CommandError, match="trained on other data"):
        call_command("evaluate", "--data", str(data), "--split", "validation")


@pytest.mark.django_db
def test_a_registered_version_is_scored_and_checked(tmp_path, capsys, settings):
    settings.MEDIA_ROOT = tmp_path / "media"
    version = registry.register_shipped_model()
    data = write_csv(tmp_path / "faces.csv", count=40)
    facts = run(capsys, "--data", data, "--number", 1)
    assert (facts["model"], facts["faces"]) == ("version 1 (se_resnet)", 10)

    with open(version.onnx.path, "ab") as file:
        file.write(b"changed")
    with pytest.raises(CommandError, match="not the one registered"):
        run(capsys, "--data", data, "--number", 1)
    with pytest.raises(CommandError, match="no version 5"):
        run(capsys, "--data", data, "--number", 5)


def test_it_says_what_is_wrong_with_the_data(tmp_path):
    with pytest.raises(CommandError, match="nothing at"):
        call_command("evaluate", "--data", str(tmp_path / "nowhere.csv"))


def test_it_says_what_is_wrong_with_the_model(tmp_path):
    data = write_csv(tmp_path / "faces.csv")
    with pytest.raises(CommandError, match=r"gone\.onnx does not exist"):
        call_command("evaluate", "--data", str(data), "--model", str(tmp_path / "gone.onnx"))


def test_a_split_without_faces_is_refused(tmp_path):
    data = write_csv(tmp_path / "faces.csv")
    with pytest.raises(
        CommandError, match=r"PrivateTest has no faces. .* Training \(11\), PublicTest"
    ):
        call_command("evaluate", "--data", str(data), "--split", "PrivateTest")


def test_it_does_not_load_tensorflow():
    code = (
        "import django, sys; django.setup(); import training.management.commands.evaluate; "
        "print('keras' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
