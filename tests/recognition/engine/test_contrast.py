"""Pale and dark pictures get their contrast back; others stay as they are."""

import numpy as np

from recognition.engine.contrast import stretch_contrast, stretch_faint


def ramp(low: int, high: int) -> np.ndarray:
    levels = np.linspace(low, high, 64 * 64).reshape(64, 64, 1).repeat(3, axis=2)
    return levels.round().astype(np.uint8)


def test_a_pale_picture_is_stretched():
    stretched = stretch_contrast(ramp(112, 150))
    assert stretched.min() == 0
    assert stretched.max() == 255


def test_a_dark_picture_with_a_few_lights_is_stretched():
    dark = ramp(0, 40)
    dark[:2, :10] = 255
    assert stretch_contrast(dark)[:, :, 0].mean() > 110


def test_a_picture_with_contrast_stays_as_it_is():
    assert stretch_contrast(ramp(20, 200)) is None


def test_a_flat_picture_stays_as_it_is():
    assert stretch_contrast(ramp(120, 123)) is None


def test_of_faces_only_faint_ones_change():
    faces = np.stack([ramp(0, 255)[:48, :48, 0], ramp(100, 120)[:48, :48, 0]])
    stretched = stretch_faint(faces)
    assert (stretched[0] == faces[0]).all()
    assert np.ptp(stretched[1]) > 200
