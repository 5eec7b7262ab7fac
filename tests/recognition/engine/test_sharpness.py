"""Sharpness drops with blur, but not with other changes."""

import cv2
import numpy as np
import pytest

from recognition.engine.align import align_face
from recognition.engine.sharpness import BLURRED, measure_sharpness


@pytest.fixture(scope="module")
def face(detector, portrait) -> np.ndarray:
    (found,) = detector.detect(portrait)
    return align_face(portrait, found.landmarks)


def blurred(face: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(face, (0, 0), sigma)


def test_more_blur_is_less_sharp(face):
    values = [measure_sharpness(blurred(face, sigma)) for sigma in (0.5, 1, 1.5, 2, 3)]

    assert measure_sharpness(face) > values[0]
    assert values == sorted(values, reverse=True)


def test_a_face_is_called_blurred_where_the_classifier_loses(face):
    assert measure_sharpness(face) > 2 * BLURRED
    assert measure_sharpness(blurred(face, 2.5)) < BLURRED


def test_a_dark_face_is_as_sharp_as_a_bright_one(face):
    dark = (face * 0.3).astype(np.uint8)

    assert measure_sharpness(dark) == pytest.approx(measure_sharpness(face), rel=0.05)


def test_compression_does_not_hide_blur(face):
    encoded = cv2.imencode(".jpg", blurred(face, 2.5), [cv2.IMWRITE_JPEG_QUALITY, 50])[1]

    assert measure_sharpness(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)) < BLURRED


def test_an_empty_face_is_not_sharp():
    assert measure_sharpness(np.full((48, 48), 90, np.uint8)) == 0
