"""Duplicates are found, and framings match the engine's."""

import cv2
import numpy as np
import pytest
import skimage.data

from recognition.engine.align import TEMPLATE
from recognition.engine.detector import MtcnnDetector
from recognition.engine.weights.measure_framing import find_landmarks
from training.core.augment import frame
from training.core.data.faces import AS_IT_IS
from training.core.data.measures import group_duplicates, measure_framings


def picture(seed: int) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 256, (8, 8), np.uint8)
    return cv2.resize(small, (48, 48), interpolation=cv2.INTER_CUBIC)


def test_copies_share_a_number():
    original = picture(1)
    brighter = np.clip(original * 0.7 + 40, 0, 255).astype(np.uint8)
    coarse = cv2.resize(cv2.resize(original, (30, 30)), (48, 48))
    images = np.stack([original, original[:, ::-1], brighter, coarse, picture(2), picture(3)])
    groups = group_duplicates(images)
    assert len(set(groups[:4].tolist())) == 1
    assert len(set(groups.tolist())) == 3


def test_flat_pictures_are_no_copies_of_each_other():
    images = np.stack([np.full((48, 48), level, np.uint8) for level in (0, 100, 200)])
    assert len(set(group_duplicates(images).tolist())) == 3


def crop(left: int, top: int, side: int) -> np.ndarray:
    """A square of the astronaut's portrait as a 48x48 gray face."""
    gray = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2GRAY)
    square = gray[top : top + side, left : left + side]
    return cv2.resize(square, (48, 48), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def faces():
    """A face off its usual place, and noise."""
    noise = np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)
    return np.stack([crop(160, 55, 140), noise])


@pytest.fixture(scope="module")
def framings(faces):
    return measure_framings(faces)


def test_the_map_brings_the_landmarks_to_the_template(faces, framings):
    framed = frame(faces, framings)
    detector = MtcnnDetector(min_face=24, second_look=False)
    before, _ = find_landmarks(faces[0], detector)
    after, _ = find_landmarks(framed[0], detector)
    assert np.abs(after - TEMPLATE).mean() < 2
    assert np.abs(after - TEMPLATE).mean() < np.abs(before - TEMPLATE).mean() / 2


def test_what_the_detector_does_not_find_stays_as_it_is(faces, framings):
    assert framings.shape == (2, 2, 3)
    assert framings.dtype == np.float32
    assert np.array_equal(framings[1], AS_IT_IS)
    assert np.array_equal(frame(faces, framings)[1], faces[1])


def test_more_faces_than_one_part_keep_their_order(faces, framings, monkeypatch):
    monkeypatch.setattr("training.core.data.measures._PART", 1)
    assert np.array_equal(measure_framings(faces), framings)
