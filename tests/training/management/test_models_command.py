"""manage.py models: the registry on the command line, with helpful errors."""

import io
import json
import sys
import zipfile

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from recognition.jobs import pauses
from recognition.models import ModelEvent, ModelVersion
from recognition.registry import registry
from tests.recognition.networks import card, network
from tests.training.weights import npz
from training.runs import trainer

pytestmark = pytest.mark.django_db


@pytest.fixture
def versions() -> tuple[ModelVersion, ModelVersion]:
    """The shipped version, in use, and another one."""
    return registry.register_shipped_model(), registry.register(network(), card(0.6))


def run(*arguments) -> str:
    output = io.StringIO()
    call_command("models", *map(str, arguments), stdout=output)
    return output.getvalue()


def test_list_shows_every_version_the_newest_first(versions):
    lines = run("list").splitlines()

    assert lines[1].split()[:4] == ["2", "available", "trained", "tiny"]
    assert lines[1].endswith("PublicTest 60.00%, 60.00%")
    assert lines[2].split()[:4] == ["1", "active", "shipped", "se_resnet"]
    assert [one["number"] for one in json.loads(run("list", "--json"))] == [2, 1]


def test_show_tells_figures_and_history(versions, user):
    run("promote", 2, "--confirm", "--user", user.email, "--reason", "To try it.")
    shown = run("show", 2)

    assert "accuracy on PublicTest 60.00%" in shown
    assert "mean recall on PublicTest 60.00%" in shown
    assert f"promoted, instead of 1 by {user.email}: To try it." in shown
    facts = json.loads(run("show", 2, "--json"))
    assert facts["events"][0]["previous"] == 1
    assert facts["card"]["architecture"] == "tiny"


def test_promote_asks_for_confirmation(versions):
    with pytest.raises(CommandError, match="Add --confirm"):
        run("promote", 2)
    assert ModelVersion.objects.get(active=True).number == 1
    assert "version 2" in run("promote", 2, "--confirm")
    assert ModelVersion.objects.get(active=True).number == 2


def test_rollback_goes_back(versions):
    run("promote", 2, "--confirm")
    assert "version 1" in run("rollback")
    with pytest.raises(CommandError, match="No version was active before"):
        run("rollback")


def test_archive_puts_aside(versions):
    run("archive", 2)
    assert run("list").splitlines()[1].split()[1] == "archived"
    with pytest.raises(CommandError, match="is active"):
        run("archive", 1)


def test_an_export_can_be_imported_again(versions, tmp_path):
    run("export", 2, tmp_path / "model.onnx")
    run("export", 2, tmp_path / "model.json")
    ModelEvent.objects.all().delete()
    ModelVersion.objects.all().delete()

    printed = run("import", tmp_path / "model.onnx", "--card", tmp_path / "model.json")
    assert "Registered: version 1 (tiny)" in printed
    assert ModelVersion.objects.get().imported


@pytest.mark.django_db(transaction=True)
def test_weights_wait_while_the_queue_of_trainings_is_paused(tmp_path, user):
    pauses.switch("training", True, user)
    (tmp_path / "theirs.npz").write_bytes(npz(np.ones(3)))

    with pytest.raises(CommandError, match="'training' is paused"):
        run("import", tmp_path / "theirs.npz", "--architecture", "simple_cnn")


def test_weights_can_be_imported(tmp_path, monkeypatch, settings, user):
    settings.TRAINING_DIR = tmp_path / "training"
    command = [sys.executable, "-m", "tests.training.versions.importer"]
    monkeypatch.setattr(trainer, "IMPORT_COMMAND", command)
    (tmp_path / "theirs.npz").write_bytes(npz(np.ones(3)))
    file, network = tmp_path / "theirs.npz", ["--architecture", "simple_cnn"]
    printed = run("import", file, *network, "--user", user.email, "--reason", "A try.")
    version = ModelVersion.objects.get()

    assert f"Registered: version {version.number} (simple_cnn)" in printed
    assert (version.imported, version.created_by, version.note) == (True, user, "A try.")
    run("export", version.number, tmp_path / "model.keras")
    assert (tmp_path / "model.keras").read_bytes() == b"keras"

    monkeypatch.setenv("MIEN_TEST_IMPORTER", "problem")
    with pytest.raises(CommandError, match="These do not fit"):
        run("import", file, *network)


def test_a_zip_holds_all_files(versions, tmp_path):
    version = registry.register(network(5), card(0.7), weights=b"weights", keras=b"keras")
    run("export", version.number, tmp_path / "model.zip")

    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        assert archive.read("expression.onnx") == network(5)
        assert archive.read("weights.npz") == b"weights"
        assert archive.read("expression.keras") == b"keras"
        facts = json.loads(archive.read("expression.json"))
    assert facts["architecture"] == "tiny"
    assert facts["version"]["sha256"] == version.sha256


def test_a_damaged_version_is_not_exported(versions, tmp_path):
    default_storage.delete(versions[1].onnx.name)
    with pytest.raises(CommandError, match="is missing"):
        run("export", 2, tmp_path / "model.zip")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", 7], "There is no version 7; there are: 1, 2"),
        (["promote", 7], "There is no version 7"),
        (["archive", 2, "--user", "nobody@example.org"], "There is no account nobody@example.org"),
        (["export", 2, "/tmp/model.h5"], "end in .onnx, .keras, .npz"),
        (["export", 2, "/tmp/model.npz"], "There is no .npz file of version 2"),
        (["export", 2, "/no/such/folder/model.onnx"], "No such file or directory"),
        (["import", "/no/such/file.onnx"], "No such file or directory"),
        (["import", __file__], "has the wrong type. Choose .onnx or .npz"),
    ],
)
def test_errors_name_what_is_wrong(versions, arguments, message):
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert message in str(caught.value)


def test_a_command_is_needed():
    with pytest.raises(CommandError, match="COMMAND"):
        run()
