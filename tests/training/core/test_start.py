"""A run begins with the weights that it is told to, unless they have seen what it holds out."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.core.test_fit import CONFIG, tiny
from tests.training.drawing import make_faces
from training.core import architectures, config, start
from training.core.checkpoint import CheckpointError, Progress, save_best
from training.core.config import TrainingConfig
from training.core.faces import split_off
from training.core.fit import CHECKPOINT, fit
from training.core.taught import write_taught


def begun(**changes):
    """A run that begins with the weights; at this rate they stay as they are."""
    options = {"start": "first", "epochs": 1, "learning_rate": 1e-9, "warmup": 0.0, **changes}
    return replace(CONFIG, **options)


@pytest.fixture
def faces():
    return make_faces(280)


@pytest.fixture(autouse=True)
def first(monkeypatch, tmp_path, faces):
    """The weights of a run that has learned all but its validation part, and who labelled it."""
    monkeypatch.setitem(architectures.ARCHITECTURES, "tiny", tiny)
    monkeypatch.setitem(config.STARTS, "first", CONFIG.architecture)
    monkeypatch.setattr(start, "_FOLDER", tmp_path)
    monkeypatch.setattr(start, "TAUGHT", tmp_path / "taught.npz")
    training, _ = split_off(faces, faces.rows("Training"), CONFIG.validation, CONFIG.seed)
    shares = np.eye(7, dtype=np.float32)[faces.labels[training]]
    write_taught(faces, training, shares, tmp_path / "taught.npz")
    learned = fit(CONFIG, faces, tmp_path / "learned")
    save_best(tmp_path / "first.npz", CONFIG, Progress(best=learned.best))
    return learned


def test_it_begins_where_the_weights_are(faces, first, tmp_path):
    from_them = fit(begun(), faces, tmp_path / "run")
    anew = fit(begun(start="random"), faces, tmp_path / "anew")
    assert from_them.best_accuracy == pytest.approx(first.best_accuracy, abs=0.1)
    assert anew.best_accuracy < first.best_accuracy - 0.2


def test_a_stopped_run_goes_on_from_its_own_weights(faces, tmp_path):
    fit(begun(), faces, tmp_path / "run")
    (tmp_path / "first.npz").unlink()
    assert (tmp_path / "run" / CHECKPOINT).exists()
    assert len(fit(begun(), faces, tmp_path / "run").epochs) == 1


def test_weights_that_have_seen_what_is_held_out_are_refused(faces, tmp_path):
    with pytest.raises(ValueError, match="have learned some of the faces that it holds out"):
        fit(begun(seed=8), faces, tmp_path / "run")
    other = make_faces(280, seed=9)
    assert fit(begun(seed=8), other, tmp_path / "run").epochs


def test_another_network_has_to_begin_anew():
    with pytest.raises(ValueError, match="are of tiny: another architecture has to begin with ran"):
        begun(architecture="simple_cnn")
    assert begun(architecture="simple_cnn", start="random")


def test_weights_that_are_not_there_are_named(faces, tmp_path):
    (tmp_path / "first.npz").unlink()
    with pytest.raises(CheckpointError, match=r"first\.npz cannot be read"):
        fit(begun(), faces, tmp_path / "run")


def test_an_unknown_start_is_refused():
    with pytest.raises(ValueError, match="start must be one of random, first"):
        TrainingConfig(start="elsewhere")
