"""The detectors that people choose between: what each finds of plain, covered and turned faces."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image

from recognition.engine.centerface import CenterFace
from recognition.engine.detector import MtcnnDetector
from recognition.engine.detectors import open_detector
from recognition.engine.types import DETECTORS, Detection

FACELESS = ("chelsea", "coffee", "rocket", "motorcycle_left", "hubble_deep_field", "text")


def opened(name: str):
    return open_detector(name)


@pytest.fixture(scope="module")
def balanced():
    return opened("balanced")


def masked(rgb: np.ndarray) -> np.ndarray:
    """The portrait with a mask over nose, mouth and chin."""
    marks = MtcnnDetector().detect(rgb)[0].landmarks
    eyes = np.array([marks.left_eye, marks.right_eye])
    across = eyes[1] - eyes[0]
    down = np.array([-across[1], across[0]])
    shape = [(-1, 0.45), (0, 0.3), (1, 0.45), (0.9, 1.3), (0, 2), (-0.9, 1.3)]
    places = [eyes.mean(axis=0) + x * across + y * down for x, y in shape]
    return cv2.fillPoly(rgb.copy(), [np.array(places, int)], (185, 210, 230))


def placed(face: np.ndarray, width: int) -> np.ndarray:
    """The portrait scaled so that its face, a fifth of it, is about this wide, on gray."""
    side = 5 * width
    scene = np.full((480, 640, 3), 120, np.uint8)
    small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)[:480, :640]
    scene[: small.shape[0], 40 : 40 + small.shape[1]] = small
    return scene


def middle(face: Detection) -> tuple[float, float]:
    return face.box.x + face.box.width / 2, face.box.y + face.box.height / 2


@pytest.mark.parametrize("name", DETECTORS)
def test_each_finds_a_plain_face_in_the_same_place(name, portrait):
    (face,) = opened(name).detect(portrait)

    (usual,) = MtcnnDetector().detect(portrait)
    assert middle(face) == pytest.approx(middle(usual), abs=8)
    assert face.landmarks.nose == pytest.approx(usual.landmarks.nose, abs=6)


@pytest.mark.parametrize("width", [24, 40, 80])
def test_balanced_finds_masked_faces_large_and_small(balanced, portrait, width):
    assert len(balanced.detect(placed(masked(portrait), width))) == 1


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_landmarks_of_a_photo_on_its_side_are_upright(balanced, portrait, turns):
    (face,) = balanced.detect(np.ascontiguousarray(np.rot90(portrait, turns)))

    across = np.subtract(face.landmarks.right_eye, face.landmarks.left_eye)
    angle = np.degrees(np.arctan2(across[1], across[0]))
    assert abs((angle + 90 * turns + 180) % 360 - 180) < 25


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("picture", FACELESS)
def test_pictures_without_a_face_have_none(name, picture):
    path = next(Path(skimage.data.__file__).parent.glob(f"{picture}.*"))
    rgb = np.asarray(Image.open(path).convert("RGB"))

    assert opened(name).detect(rgb) == []


def test_faces_in_a_group_are_told_apart_and_none_counts_twice(balanced, different_faces):
    group = np.vstack([np.hstack(different_faces[:3]), np.hstack(different_faces[3:])])

    assert len(balanced.detect(group)) == 6


def test_a_smallest_face_is_respected(balanced, portrait):
    scene = placed(portrait, 40)

    assert len(balanced.with_min_face(30).detect(scene)) == 1
    assert balanced.with_min_face(120).detect(scene) == []


def test_boxes_are_in_pixels_of_a_photo_that_is_scaled_down(portrait):
    large = cv2.resize(portrait, (2560, 2560))
    small, whole = opened("balanced"), opened("balanced").with_max_side(1280)

    (face,), (same,) = small.detect(portrait), whole.detect(large)

    assert np.array(middle(same)) / 5 == pytest.approx(np.array(middle(face)), abs=6)


def test_small_faces_of_a_huge_picture_are_found_if_it_is_searched_in_full(balanced, portrait):
    huge = np.full((3000, 4000, 3), 120, np.uint8)
    small = cv2.resize(portrait, (230, 230), interpolation=cv2.INTER_AREA)
    for x, y in ((100, 100), (3600, 200), (1900, 2600)):
        huge[y : y + 230, x : x + 230] = small

    assert balanced.detect(huge) == []  # about 13 pixels wide once it is scaled down
    assert len(balanced.with_max_side(8192).detect(huge)) == 3


def test_a_face_is_followed_from_frame_to_frame(balanced, portrait):
    (face,) = balanced.detect(portrait)

    (followed,) = balanced.follow(np.roll(portrait, 10, axis=1), [face.box])

    assert middle(followed)[0] == pytest.approx(middle(face)[0] + 10, abs=6)


def test_odd_sizes_are_searched_too(balanced, portrait):
    for height, width in ((1, 1), (13, 700), (37, 41)):
        balanced.detect(np.ascontiguousarray(portrait[:height, :width]))


def test_centerface_gives_the_same_face_at_half_the_size(portrait):
    network = CenterFace()

    boxes, scores, points = network.find(portrait, 512, 0.5)
    half, *_ = network.find(portrait, 256, 0.5)

    assert len(boxes) == len(scores) == len(points) == 1
    assert np.abs(boxes - half).max() < 12


def test_its_memory_does_not_grow_with_the_number_of_pictures(portrait):
    psutil = pytest.importorskip("psutil")
    network, process = CenterFace(), psutil.Process()
    kept = [network.find(portrait, 480, 0.2) for _ in range(5)]
    before = process.memory_info().rss

    kept += [network.find(portrait, 480, 0.2) for _ in range(60)]

    assert process.memory_info().rss - before < 20e6
