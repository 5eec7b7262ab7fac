"""Copies of a picture are found, and different pictures are told apart."""

import cv2
import numpy as np

from training.core.duplicates import group_duplicates


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
