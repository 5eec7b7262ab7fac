"""A run learns, keeps its best epoch, and goes on where it was stopped."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from tests.training.drawing import make_faces
from training.core import architectures
from training.core.checkpoint import read_best
from training.core.config import TrainingConfig
from training.core.export import trained
from training.core.faces import split_off
from training.core.fit import CHECKPOINT, Clock, fit, predict_logits
from training.core.problems import CheckpointError


def tiny() -> keras.Model:
    faces = keras.Input((None, None, 1), name="faces")
    x = architectures.NormConv(8, size=5, stride=4)(architectures.Standardize()(faces))
    x = keras.layers.Dropout(0.1, seed=3)(keras.layers.ReLU()(x))
    x = keras.layers.AveragePooling2D((1, 8))(x)
    # One dense layer over a fixed 6x1 grid, so that the bar's height counts.
    x = keras.layers.Reshape((-1,))(keras.layers.Resizing(6, 1)(x))
    return keras.Model(faces, keras.layers.Dense(7, dtype="float32")(x))


CONFIG = TrainingConfig(
    architecture="tiny",
    epochs=4,
    batch_size=16,
    learning_rate=0.03,
    average=0.8,
    precision="float32",
    stages=((0.0, 32, 0.1), (0.5, 48, 0.05)),
    framed=0.0,
    repeats=(1,) * 7,
    validation=0.2,
)


@pytest.fixture(autouse=True)
def tiny_network(monkeypatch):
    monkeypatch.setitem(architectures.ARCHITECTURES, "tiny", tiny)


@pytest.fixture(scope="module")
def faces():
    return make_faces(280)


def test_several_steps_at_once_count_and_learn_the_same(faces, tmp_path):
    progress = fit(CONFIG, faces, tmp_path, steps_at_once=5)
    config, saved = read_best(tmp_path / CHECKPOINT)
    # 224 training faces in batches of 16, so the last of each epoch are four at once.
    assert saved.steps == 4 * 14
    assert progress.epochs[-1].validation_accuracy > 0.5
    assert progress.epochs[-1].learning_rate < config.learning_rate / 3


def test_plain_descent_learns_too(faces, tmp_path):
    config = replace(CONFIG, optimizer="sgd", learning_rate=0.2, weight_decay=0.001)
    assert fit(config, faces, tmp_path).best_accuracy > 0.5


def test_a_run_that_diverges_says_so(faces, tmp_path):
    config = replace(CONFIG, optimizer="sgd", learning_rate=1e30)
    with pytest.raises(ValueError, match="smaller learning rate"):
        fit(config, faces, tmp_path)
    assert not (tmp_path / CHECKPOINT).exists()


def test_it_learns_and_keeps_the_best_epoch(faces, tmp_path):
    heard = []
    progress = fit(CONFIG, faces, tmp_path, on_epoch=heard.append)
    assert [epoch.number for epoch in heard] == [1, 2, 3, 4]
    assert [epoch.side for epoch in heard] == [32, 32, 48, 48]
    assert heard[-1].validation_accuracy > 0.5
    assert progress.best_accuracy == max(epoch.validation_accuracy for epoch in heard)

    config, saved = read_best(tmp_path / CHECKPOINT)
    _, held_out = split_off(faces, faces.rows("Training"), config.validation, config.seed)
    logits = predict_logits(trained("tiny", saved.best), faces.images[held_out])
    accuracy = (logits.argmax(axis=1) == faces.labels[held_out]).mean()
    assert accuracy == pytest.approx(progress.best_accuracy, abs=0.02)


def test_a_stopped_run_goes_on_to_the_same_result(faces, tmp_path):
    whole = fit(CONFIG, faces, tmp_path / "whole")
    batches = iter(range(10_000))
    # 14 batches an epoch: this stops the run in the middle of the third.
    fit(CONFIG, faces, tmp_path / "parts", should_stop=lambda: next(batches) > 36)
    assert len(read_best(tmp_path / "parts" / CHECKPOINT)[1].epochs) == 2
    resumed = fit(CONFIG, faces, tmp_path / "parts")
    assert len(resumed.epochs) == 4
    for whole_weight, resumed_weight in zip(whole.best, resumed.best, strict=True):
        assert np.allclose(whole_weight, resumed_weight, atol=1e-4)


def test_a_checkpoint_of_other_settings_is_refused(faces, tmp_path):
    fit(TrainingConfig.from_dict(CONFIG.to_dict() | {"epochs": 1}), faces, tmp_path)
    with pytest.raises(CheckpointError, match="other settings"):
        fit(CONFIG, faces, tmp_path)


@pytest.mark.parametrize("kept", [0, 0.5, 0.99])
def test_a_damaged_checkpoint_is_refused(faces, tmp_path, kept):
    fit(replace(CONFIG, epochs=1), faces, tmp_path)
    content = (tmp_path / CHECKPOINT).read_bytes()
    (tmp_path / CHECKPOINT).write_bytes(content[: int(kept * len(content))] or b"PK no checkpoint")
    with pytest.raises(CheckpointError, match="cannot be read"):
        fit(CONFIG, faces, tmp_path)


def test_a_config_with_framings_needs_data_with_framings(faces, tmp_path):
    config = TrainingConfig.from_dict(CONFIG.to_dict() | {"framed": 0.5})
    with pytest.raises(ValueError, match="without the framings"):
        fit(config, faces, tmp_path)


def test_a_limit_in_minutes_replaces_the_epochs(faces, tmp_path):
    config = TrainingConfig.from_dict(CONFIG.to_dict() | {"minutes": 0.0001, "epochs": 1000})
    progress = fit(config, faces, tmp_path)
    assert len(progress.epochs) <= 1
    assert Clock(config, 10, progress).is_over() or not progress.epochs
