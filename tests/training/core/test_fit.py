"""A run learns, keeps its best epoch, resumes, and starts from the right weights."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from tests.training.drawing import draw_faces, make_faces
from training.core import architectures
from training.core.checkpoint import CHECKPOINT, CheckpointError, Progress, read_best, save_best
from training.core.config import STARTS, TrainingConfig
from training.core.data.faces import split_off
from training.core.data.targets import write_taught
from training.core.fit import Clock, TrainingBatches, fit, predict_logits, trained


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
    with pytest.raises(CheckpointError, match="can't be read"):
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


FRAMED = TrainingConfig(batch_size=32, framed=0.4)
SHIFTED = np.array([[1, 0, 9], [0, 1, 9]], np.float32)


@pytest.fixture
def images():
    return draw_faces(320)[0]


def batches(images, config=FRAMED, *, epoch=1, strength=0.75, framed=True) -> TrainingBatches:
    """Batches at 48 pixels whose targets are the row numbers."""
    targets = np.arange(len(images))
    framings = np.tile(SHIFTED, (len(images), 1, 1)) if framed else None
    return TrainingBatches(images, targets, config, epoch, 48, strength, framings)


def test_the_same_batch_is_drawn_again(images):
    faces, rows = batches(images)[3]
    again, same_rows = batches(images)[3]
    assert np.array_equal(rows, same_rows)
    assert np.array_equal(faces, again)
    assert faces.shape == (32, 48, 48, 1)
    assert faces.dtype == np.float32


def test_another_epoch_draws_other_faces(images):
    assert not np.array_equal(batches(images)[3][0], batches(images, epoch=2)[3][0])


def test_faces_and_targets_are_mixed_alike(images):
    targets = np.arange(len(images), dtype=np.float32)
    config = replace(FRAMED, mixed=0.4)
    mixed, blends = TrainingBatches(images, targets, config, 1, 48, 0.75)[3]
    faces, rows = TrainingBatches(images, targets, FRAMED, 1, 48, 0.75)[3]
    share = (blends[0] - rows[-1]) / (rows[0] - rows[-1])
    assert 0 < share < 1
    assert mixed == pytest.approx(share * faces + (1 - share) * faces[::-1], abs=0.01)
    assert blends == pytest.approx(share * rows + (1 - share) * rows[::-1], abs=0.01)
    again = TrainingBatches(images, targets, config, 1, 48, 0.75)[3][0]
    assert np.array_equal(mixed, again)


def test_about_the_share_of_the_config_is_framed(images):
    """Without variation a face is left, mirrored, or framed and mirrored."""
    epoch = batches(images, strength=0.0)
    framed = 0
    for number in range(len(epoch)):
        faces, rows = epoch[number]
        for face, original in zip(faces[..., 0], images[rows], strict=True):
            framed += not any(np.array_equal(face, old) for old in (original, original[:, ::-1]))
    assert 0.3 < framed / 320 < 0.5


def test_without_framings_nothing_is_framed(images):
    faces, rows = batches(images, strength=0.0, framed=False)[0]
    for face, original in zip(faces[..., 0], images[rows], strict=True):
        assert any(np.array_equal(face, old) for old in (original, original[:, ::-1]))


def test_all_are_framed_where_the_share_is_one(images):
    faces, rows = batches(images, replace(FRAMED, framed=1.0), strength=0.0)[0]
    assert not any(
        np.array_equal(face, old)
        for face, original in zip(faces[..., 0], images[rows], strict=True)
        for old in (original, original[:, ::-1])
    )


def begun(**changes):
    """A run that begins with the weights; at this rate they stay as they are."""
    options = {"start": "first", "epochs": 1, "learning_rate": 1e-9, "warmup": 0.0, **changes}
    return replace(CONFIG, **options)


@pytest.fixture
def first(monkeypatch, tmp_path, faces):
    """The weights of a run that has learned all but its validation part, and who labeled it."""
    monkeypatch.setitem(STARTS, "first", CONFIG.architecture)
    monkeypatch.setattr("training.core.fit._FOLDER", tmp_path)
    monkeypatch.setattr("training.core.fit.TAUGHT", tmp_path / "taught.npz")
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


@pytest.mark.usefixtures("first")
def test_a_stopped_run_goes_on_from_its_own_weights(faces, tmp_path):
    fit(begun(), faces, tmp_path / "run")
    (tmp_path / "first.npz").unlink()
    assert (tmp_path / "run" / CHECKPOINT).exists()
    assert len(fit(begun(), faces, tmp_path / "run").epochs) == 1


@pytest.mark.usefixtures("first")
def test_weights_that_have_seen_what_is_held_out_are_refused(faces, tmp_path):
    with pytest.raises(ValueError, match="have learned some of the faces that it holds out"):
        fit(begun(seed=8), faces, tmp_path / "run")
    other = make_faces(280, seed=9)
    assert fit(begun(seed=8), other, tmp_path / "run").epochs


@pytest.mark.usefixtures("first")
def test_another_network_has_to_begin_anew():
    with pytest.raises(
        ValueError, match="only fit tiny; any other architecture must start from random"
    ):
        begun(architecture="simple_cnn")
    assert begun(architecture="simple_cnn", start="random")


@pytest.mark.usefixtures("first")
def test_weights_that_are_not_there_are_named(faces, tmp_path):
    (tmp_path / "first.npz").unlink()
    with pytest.raises(CheckpointError, match=r"first\.npz can't be read"):
        fit(begun(), faces, tmp_path / "run")


def test_an_unknown_start_is_refused():
    with pytest.raises(ValueError, match="start must be one of random, first"):
        TrainingConfig(start="elsewhere")
