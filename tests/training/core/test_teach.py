"""Teachers label what they have not seen, and their labels are found again by the image."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.core.test_fit import CONFIG, tiny
from tests.training.drawing import make_faces, write_csv
from training.core import architectures, teach
from training.core.datasets import load_for
from training.core.faces import split_off
from training.core.problems import DatasetError
from training.core.taught import read_taught, write_taught


@pytest.fixture(autouse=True)
def tiny_network(monkeypatch):
    monkeypatch.setitem(architectures.ARCHITECTURES, "tiny", tiny)


def test_folds_part_the_training_rows_and_keep_groups_whole():
    faces = replace(make_faces(140), groups=np.arange(140) // 2)
    folds = teach.cut_folds(faces, CONFIG, 4)
    training, _held_out = split_off(faces, faces.rows("Training"), CONFIG.validation, CONFIG.seed)
    assert sorted(np.concatenate(folds)) == sorted(training)
    groups = [set(faces.groups[fold]) for fold in folds]
    assert sum(map(len, groups)) == len(set.union(*groups))
    assert max(map(len, groups)) - min(map(len, groups)) <= 1


def test_too_few_faces_for_the_folds():
    with pytest.raises(DatasetError, match="too few different faces for 9 folds"):
        teach.cut_folds(make_faces(8), CONFIG, 9)


def test_folds_that_cannot_be(tmp_path, capsys):
    path = write_csv(tmp_path / "faces.csv", count=28)
    command = ["--data", str(path), "--cache", str(tmp_path / "cache")]
    assert teach.main([*command, "--folds", "1"]) == 1
    assert "At least 2 folds" in capsys.readouterr().err
    assert teach.main([*command, "--fold", "7"]) == 1
    assert "from 0 to 4" in capsys.readouterr().err


def test_a_teacher_never_sees_the_fold_that_it_labels(monkeypatch, tmp_path):
    """Where a fold's labels are swapped, its teacher goes on giving the others' answer."""
    faces = make_faces(280)
    fold = teach.cut_folds(faces, CONFIG, 2)[0]
    wrong = faces.labels.copy()
    wrong[fold] = (wrong[fold] + 1) % 7
    logits = teach.teach(CONFIG, replace(faces, labels=wrong), 2, 0, tmp_path)
    assert logits.shape == (len(fold), 7)
    assert (logits.argmax(axis=1) == faces.labels[fold]).mean() > 0.5


def test_labels_are_found_again_by_the_image(tmp_path):
    faces = make_faces(20)
    shares = np.eye(7, dtype=np.float32)[np.arange(15) % 7] * 0.8 + 0.2 / 7
    write_taught(faces, np.arange(15), shares, tmp_path / "taught.npz")
    order = np.random.default_rng(3).permutation(20)
    read = read_taught(tmp_path / "taught.npz", replace(faces, images=faces.images[order]))
    assert read[order < 15] == pytest.approx(shares[order[order < 15]], abs=0.01)
    assert not read[order >= 15].any()
    assert read[order < 15].sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize("kept", [0, 0.5, 0.99])
def test_a_damaged_file_is_named(tmp_path, kept):
    path = tmp_path / "taught.npz"
    write_taught(make_faces(99), np.arange(99), np.eye(7)[np.arange(99) % 7], path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))] or b"nothing of the kind")
    with pytest.raises(DatasetError, match=r"taught\.npz cannot be read"):
        read_taught(tmp_path / "taught.npz", make_faces(3))


def test_labels_are_loaded_where_the_config_asks_for_them(tmp_path):
    path = write_csv(tmp_path / "faces.csv", count=28)
    assert load_for(CONFIG, path, tmp_path / "cache").taught is None
    faces = load_for(replace(CONFIG, taught=0.5), path, tmp_path / "cache")
    # Nobody has labelled these: they are none of FER2013's.
    assert faces.taught is not None
    assert faces.taught.shape == (28, 7)
    assert not faces.taught.any()


def test_the_command_writes_the_labels_once_all_folds_are_there(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(teach, "TEACHERS", {"teacher": CONFIG})
    path = write_csv(tmp_path / "faces.csv", count=140)
    output = tmp_path / "teachers"
    command = ["--data", str(path), "--cache", str(tmp_path / "cache"), "--folds", "2"]
    command += ["--output", str(output), "--preset", "teacher", "--epochs", "2"]
    assert teach.main([*command, "--fold", "0"]) == 0
    assert not (output / "taught.npz").exists()
    assert teach.main([*command, "--fold", "1"]) == 0
    assert "teachers agree with" in capsys.readouterr().out

    faces = load_for(
        replace(CONFIG, taught=0.5), path, tmp_path / "cache", None, output / "taught.npz"
    )
    training, held_out = split_off(faces, faces.rows("Training"), CONFIG.validation, CONFIG.seed)
    assert faces.taught[training].any(axis=1).all()
    assert not faces.taught[held_out].any()
    assert not faces.taught[faces.rows("PublicTest")].any()


def test_the_command_says_what_is_wrong(tmp_path, capsys):
    assert teach.main(["--data", str(tmp_path / "nowhere.csv")]) == 1
    assert "nothing at" in capsys.readouterr().err
