"""Whether a part of a face is hidden, and what is told of such a face."""

import cv2
import numpy as np
import pytest

from recognition.engine.align import align_face
from recognition.engine.classifier import EmotionClassifier
from recognition.engine.covers import COVERED, CoverNetwork
from recognition.engine.detector import MtcnnDetector
from recognition.engine.examiner import Examiner
from recognition.engine.pipeline import analyze_image

from .test_detectors import masked, opened


@pytest.fixture(scope="module")
def network() -> CoverNetwork:
    return CoverNetwork()


def sunglasses(rgb: np.ndarray) -> np.ndarray:
    marks = MtcnnDetector().detect(rgb)[0].landmarks
    radius = round(0.4 * np.hypot(*np.subtract(marks.right_eye, marks.left_eye)))
    dark = rgb.copy()
    for eye in (marks.left_eye, marks.right_eye):
        cv2.circle(dark, (round(eye[0]), round(eye[1])), radius, (20, 20, 22), -1)
    return dark


def test_a_plain_face_is_not_covered_and_a_masked_one_is(network, portrait):
    landmarks = MtcnnDetector().detect(portrait)[0].landmarks
    faces = [align_face(picture, landmarks) for picture in (portrait, masked(portrait))]

    plain, hidden = network.predict(np.stack(faces))

    assert plain < 0.3
    assert hidden >= COVERED


def test_no_person_of_the_portraits_is_covered(network, pairs):
    faces = [
        align_face(rgb, MtcnnDetector().detect(rgb)[0].landmarks) for pair in pairs for rgb in pair
    ]

    assert (network.predict(np.stack(faces)) < COVERED).all()


def test_no_faces_are_no_trouble(network):
    assert network.predict(np.empty((0, 48, 48), np.uint8)).shape == (0,)


def findings_of(rgb: np.ndarray, **options: object):
    examiner = Examiner(**options)
    (face,) = analyze_image(rgb, opened("balanced"), EmotionClassifier(), "detect", examiner).faces
    return face.findings


def test_a_gaze_behind_sunglasses_is_not_guessed(portrait):
    plain, hidden = (findings_of(rgb, irises=True) for rgb in (portrait, sunglasses(portrait)))

    assert hidden.covered >= COVERED
    assert plain.measures.gaze_x is not None
    assert hidden.measures.gaze_x is None


def test_without_the_mesh_only_covers_are_told(portrait):
    found = findings_of(masked(portrait), mesh=False)

    assert (found.mesh, found.measures) == (None, None)
    assert found.covered >= COVERED


def test_faces_below_the_size_get_no_mesh(portrait):
    assert findings_of(portrait, min_face=60).measures is not None
    assert findings_of(portrait, min_face=400).measures is None
