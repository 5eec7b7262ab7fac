"""Hints that a prediction is less reliable."""

import pytest

from recognition import face_states
from recognition.engine.sharpness import BLURRED
from recognition.models import Face

FRONT = {"left_eye": [30, 40], "right_eye": [70, 40], "nose": [50, 60]}


def face(size: float, **points) -> Face:
    return Face(width=size, height=size * 1.2, landmarks=FRONT | points)


def test_a_large_face_from_the_front_has_no_hint():
    assert face_states.quality_hints(face(100)) == []


def test_a_face_smaller_than_the_classifier_reads_is_small():
    assert face_states.quality_hints(face(47.9)) == ["small"]
    assert face_states.quality_hints(face(48)) == []


def test_a_face_below_the_measured_limit_is_blurred():
    assert face_states.quality_hints(Face(width=90, height=90, sharpness=0.99 * BLURRED)) == [
        "blurred"
    ]
    assert face_states.quality_hints(Face(width=90, height=90, sharpness=BLURRED)) == []


def test_of_a_face_whose_sharpness_was_not_measured_nothing_is_said():
    assert face_states.quality_hints(Face(width=90, height=90, sharpness=None)) == []


def test_a_nose_far_beside_the_middle_of_the_eyes_is_turned():
    assert face_states.quality_hints(face(100, nose=[66, 60])) == ["turned"]
    assert face_states.quality_hints(face(100, nose=[34, 60])) == ["turned"]


def test_a_tilted_head_is_not_turned():
    tilted = {"left_eye": [40, 30], "right_eye": [40, 70], "nose": [20, 50]}
    assert face_states.turn(tilted) == pytest.approx(0)


def test_eyes_in_one_point_are_turned():
    assert face_states.turn({"left_eye": [5, 5], "right_eye": [5, 5], "nose": [5, 9]}) == 1


def test_a_face_of_a_session_has_no_points_and_can_still_be_small():
    assert face_states.quality_hints(Face(width=30, height=30, landmarks={})) == ["small"]
