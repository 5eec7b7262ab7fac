"""A batch follows from seed, epoch and its number alone, and frames the share that is wanted."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.drawing import draw_faces
from training.core.batches import TrainingBatches
from training.core.config import TrainingConfig

CONFIG = TrainingConfig(batch_size=32, framed=0.4)
SHIFTED = np.array([[1, 0, 9], [0, 1, 9]], np.float32)


@pytest.fixture
def images():
    return draw_faces(320)[0]


def batches(images, config=CONFIG, *, epoch=1, strength=0.75, framed=True) -> TrainingBatches:
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
    config = replace(CONFIG, mixed=0.4)
    mixed, blends = TrainingBatches(images, targets, config, 1, 48, 0.75)[3]
    faces, rows = TrainingBatches(images, targets, CONFIG, 1, 48, 0.75)[3]
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
    faces, rows = batches(images, replace(CONFIG, framed=1.0), strength=0.0)[0]
    assert not any(
        np.array_equal(face, old)
        for face, original in zip(faces[..., 0], images[rows], strict=True)
        for old in (original, original[:, ::-1])
    )
