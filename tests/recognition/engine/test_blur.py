"""Faces become unrecognizable, and nothing else changes."""

import json

import numpy as np
import pytest
import skimage.data

from recognition.engine.blur import CELLS, blur_faces, blurrer, read_places
from recognition.engine.detectors import open_detector

NOISE = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)


def colors(rgb) -> int:
    return len(np.unique(rgb.reshape(-1, 3), axis=0))


def test_a_face_becomes_a_few_squares_and_the_rest_stays():
    blurred = blur_faces(NOISE, [(100, 50, 80, 80)])
    assert colors(blurred[30:150, 80:200]) == CELLS**2  # with the margin
    outside = np.ones(NOISE.shape[:2], bool)
    outside[30:150, 80:200] = False
    assert (blurred[outside] == NOISE[outside]).all()
    assert colors(NOISE[30:150, 80:200]) > 10_000  # the original was not touched


def test_a_large_face_shows_no_more_than_a_small_one():
    assert colors(blur_faces(NOISE, [(0, 0, 300, 200)])) <= CELLS**2


@pytest.mark.parametrize("box", [(-50, -50, 80, 80), (280, 180, 90, 90), (400, 400, 10, 10)])
def test_boxes_may_reach_beyond_the_picture(box):
    assert blur_faces(NOISE, [box]).shape == NOISE.shape


def test_boxes_are_scaled_to_smaller_pictures():
    half = NOISE[::2, ::2]
    assert colors(blur_faces(half, [(100, 50, 80, 80)], 0.5)[15:75, 40:100]) == CELLS**2


def test_no_detector_finds_the_face_again():
    photo = skimage.data.astronaut()
    for name in ("fast", "thorough"):
        detector = open_detector(name)
        found = detector.detect(photo)
        box = found[0].box
        blurred = blur_faces(photo, [(box.x, box.y, box.width, box.height)])
        assert detector.detect(blurred) == []


def places_file(tmp_path, places):
    path = tmp_path / "places"
    path.write_text("".join(json.dumps(place) + "\n" for place in places))
    return read_places(path)


def test_frames_between_samples_are_covered_too(tmp_path):
    places = places_file(tmp_path, [[1.0, [[100, 50, 80, 80]]], [2.0, []], [3.0, []]])
    blur = blurrer(places, width=300, step=0.2)
    changed = [(blur(NOISE, time) != NOISE).any() for time in (0.0, 0.45, 0.9, 1.0, 1.55, 1.7, 3.0)]
    assert changed == [False, True, True, True, True, False, False]


def test_a_face_that_moves_is_covered_where_it_was_and_where_it_will_be(tmp_path):
    places = places_file(tmp_path, [[0.0, [[0, 0, 40, 40]]], [0.2, [[200, 100, 40, 40]]]])
    rgb = blurrer(places, width=300, step=0.2)(NOISE, 0.1)
    for x, y in ((0, 0), (200, 100)):
        assert colors(rgb[y : y + 40, x : x + 40]) <= CELLS**2
