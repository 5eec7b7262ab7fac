"""Augmentation varies faces as the engine samples them, and the same way for the same seed."""

import numpy as np
import pytest

from training.core.augment import augment, resize
from training.core.framings import frame


@pytest.fixture
def faces():
    """Smooth pictures, brighter to the right and below."""
    across, down = np.meshgrid(np.arange(48), np.arange(48))
    return np.stack([(across * 2 + down * 3 + 5).astype(np.uint8)] * 64)


def test_strength_zero_only_mirrors(faces):
    varied = augment(faces, np.random.default_rng(0), strength=0)
    same = np.array([np.array_equal(new, old) for new, old in zip(varied, faces, strict=True)])
    mirrored = np.array(
        [np.array_equal(new, old[:, ::-1]) for new, old in zip(varied, faces, strict=True)]
    )
    assert np.all(same | mirrored)
    assert 10 < same.sum() < 54


def test_framings_come_first_in_the_same_sampling(faces):
    framings = np.tile([[1.0, 0.0, 5.0], [0.0, 1.0, -3.0]], (64, 1, 1))
    varied = augment(faces, np.random.default_rng(0), strength=0, framings=framings)
    framed = frame(faces, framings)
    expected = augment(framed, np.random.default_rng(0), strength=0)
    assert np.array_equal(varied, expected)
    assert not np.array_equal(framed, faces)


def test_variation_turns_about_the_middle_of_the_framed_face():
    """A dot that the framing brings to the center stays there, whatever the variation."""
    face = np.zeros((48, 48), np.uint8)
    face[10:12, 30:32] = 255
    framings = np.tile([[1.0, 0.0, -7.0], [0.0, 1.0, 13.0]], (200, 1, 1))
    varied = augment(np.stack([face] * 200), np.random.default_rng(3), 0.2, framings)
    bright = np.array([image[21:27, 21:27].sum() / max(image.sum(), 1) for image in varied])
    assert np.median(bright) > 0.95


def test_the_same_seed_gives_the_same_faces(faces):
    first = augment(faces, np.random.default_rng(5))
    assert np.array_equal(first, augment(faces, np.random.default_rng(5)))
    assert not np.array_equal(first, augment(faces, np.random.default_rng(6)))


def test_faces_stay_recognizable(faces):
    varied = augment(faces, np.random.default_rng(1)).astype(float)
    aligned = [
        max(np.corrcoef(new.ravel(), old.ravel())[0, 1] for old in (face, face[:, ::-1]))
        for new, face in zip(varied, faces.astype(float), strict=True)
    ]
    assert np.median(aligned) > 0.9


def test_the_original_is_left_alone(faces):
    before = faces.copy()
    augment(faces, np.random.default_rng(2))
    assert np.array_equal(faces, before)


def test_resize_keeps_the_level(faces):
    smaller = resize(faces, 32)
    assert smaller.shape == (64, 32, 32)
    assert smaller.mean() == pytest.approx(faces.mean(), abs=1)
    assert resize(faces, 48) is faces
