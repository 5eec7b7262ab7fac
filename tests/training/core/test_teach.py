"""Teachers label what they haven't seen, and their labels go together with the taggers' votes."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.core.test_fit import CONFIG, tiny
from tests.training.drawing import make_faces, write_csv
from training.core import architectures, teach
from training.core.data.datasets import load_for
from training.core.data.faces import DatasetError, split_off
from training.core.evaluate import log_loss, macro_f1
from training.core.teach import reconcile


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
    """If a fold's labels are swapped, its teacher still predicts the others' labels."""
    faces = make_faces(280)
    fold = teach.cut_folds(faces, CONFIG, 2)[0]
    wrong = faces.labels.copy()
    wrong[fold] = (wrong[fold] + 1) % 7
    logits = teach.teach(CONFIG, replace(faces, labels=wrong), 2, 0, tmp_path)
    assert logits.shape == (len(fold), 7)
    assert (logits.argmax(axis=1) == faces.labels[fold]).mean() > 0.5


def test_labels_are_loaded_where_the_config_asks_for_them(tmp_path):
    path = write_csv(tmp_path / "faces.csv", count=28)
    assert load_for(CONFIG, path, tmp_path / "cache").taught is None
    faces = load_for(replace(CONFIG, taught=0.5), path, tmp_path / "cache")
    # Nobody has labeled these: they are none of FER2013's.
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


FACES = 4200


@pytest.fixture(scope="module")
def answers():
    """A teacher that is often wrong, and taggers who call every third face neutral."""
    random = np.random.default_rng(4)
    labels = random.integers(0, 7, FACES)
    taught = random.dirichlet(np.full(7, 0.5), FACES) * 0.6 + 0.4 * np.eye(7)[labels]
    seen = np.where(random.random(FACES) < 0.33, 6, labels)
    votes = np.array([random.multinomial(10, 0.06 + 0.58 * row) for row in np.eye(7)[seen]]) / 10
    return taught, votes, labels, np.arange(FACES) % 5


def test_together_they_know_more(answers):
    taught, votes, labels, folds = answers
    shares = reconcile(*answers)
    assert shares.sum(axis=1) == pytest.approx(1, abs=1e-5)
    together = macro_f1(labels, shares.argmax(axis=1))
    assert together > macro_f1(labels, taught.argmax(axis=1)) + 0.02
    assert together > macro_f1(labels, votes.argmax(axis=1)) + 0.02
    alone = reconcile(taught, np.zeros_like(votes), labels, folds)
    assert log_loss(np.log(shares), labels) < log_loss(np.log(alone), labels) - 0.02


def test_the_bias_of_the_taggers_goes(answers):
    _, votes, labels, folds = answers
    neutral = (labels == 6).mean()
    assert votes[:, 6].mean() > 2 * neutral
    nothing = np.full_like(votes, 1 / 7)
    assert reconcile(nothing, votes, labels, folds)[:, 6].mean() == pytest.approx(neutral, abs=0.01)


def test_a_label_does_not_show_in_its_own_share(answers):
    taught, votes, labels, folds = answers
    changed = labels.copy()
    changed[folds == 0] = (changed[folds == 0] + 3) % 7
    before, after = reconcile(*answers), reconcile(taught, votes, changed, folds)
    assert after[folds == 0] == pytest.approx(before[folds == 0])
    assert np.abs(after[folds == 1] - before[folds == 1]).max() > 0.05


def test_taggers_who_mostly_agree_do_not_lead_the_regression_astray():
    """Newton's whole steps ended at a log loss of 15 here."""
    random = np.random.default_rng(0)
    labels = random.choice(7, FACES, p=[0.14, 0.02, 0.14, 0.25, 0.17, 0.11, 0.17])
    seen = np.where(random.random(FACES) < 0.7, labels, random.integers(0, 7, FACES))
    unsure = random.random(FACES) < 0.3
    votes = np.eye(7)[seen]
    votes[unsure] = [random.multinomial(10, 0.86 * row + 0.02) / 10 for row in votes[unsure]]
    shares = reconcile(np.full_like(votes, 1 / 7), votes, labels, np.arange(FACES) % 5)
    assert log_loss(np.log(shares), labels) < 1.1
