"""Faces are found in the right places, and only there."""

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image

from recognition.engine.detector import MtcnnDetector
from recognition.engine.types import BoundingBox, Detection

FACE = (222, 115)  # the middle of the portrait's face


def center(face: Detection) -> tuple[float, float]:
    return face.box.x + face.box.width / 2, face.box.y + face.box.height / 2


def near(face: Detection, point: tuple[float, float], pixels: float) -> bool:
    return np.hypot(*np.subtract(center(face), point)) < pixels


def test_it_finds_a_face(detector, portrait):
    (face,) = detector.detect(portrait)
    assert near(face, FACE, 10)
    assert 70 < face.box.width < 110
    assert 90 < face.box.height < 130
    assert 0.9 < face.score <= 1


def test_left_is_left_in_the_picture(detector, portrait):
    marks = detector.detect(portrait)[0].landmarks
    assert marks.left_eye[0] < marks.nose[0] < marks.right_eye[0]
    assert marks.mouth_left[0] < marks.mouth_right[0]
    assert marks.left_eye[1] < marks.nose[1] < marks.mouth_left[1]


def test_a_photo_without_a_face_gives_none(detector):
    assert detector.detect(skimage.data.coffee()) == []


@pytest.mark.parametrize("color", [0, 127, 255])
def test_an_even_picture_gives_none(detector, color):
    assert detector.detect(np.full((400, 300, 3), color, dtype=np.uint8)) == []


@pytest.mark.parametrize("shape", [(1, 1), (11, 300), (300, 12), (16, 16), (2, 4000)])
def test_a_picture_too_small_for_a_face_gives_none(detector, shape):
    assert detector.detect(np.full((*shape, 3), 90, dtype=np.uint8)) == []


def test_it_finds_every_face_of_a_group(detector, different_faces):
    rows = [np.hstack(different_faces[start : start + 3]) for start in (0, 3)]
    found = detector.detect(np.vstack(rows))
    assert len(found) == 6
    for row in (0, 1):
        for column in (0, 1, 2):
            middle = (150 + 300 * column, 150 + 300 * row)
            assert sum(near(face, middle, 50) for face in found) == 1


def test_the_largest_face_comes_first(detector, portrait):
    small = np.asarray(Image.fromarray(portrait).resize((256, 256)))
    pair = np.zeros((512, 768, 3), np.uint8)
    pair[:256, :256], pair[:, 256:] = small, portrait
    large, other = detector.detect(pair)
    assert large.box.width > other.box.width


def test_a_large_photo_is_measured_in_its_own_pixels(detector, portrait):
    large = np.asarray(Image.fromarray(portrait).resize((3000, 3000)))
    (face,) = detector.detect(large)
    factor = 3000 / 512
    assert near(face, (FACE[0] * factor, FACE[1] * factor), 60)
    expected = detector.detect(portrait)[0].landmarks.nose
    assert np.allclose(np.divide(face.landmarks.nose, factor), expected, atol=2)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_it_finds_a_face_in_a_photo_on_its_side(detector, portrait, turns):
    (face,) = detector.detect(np.ascontiguousarray(np.rot90(portrait, turns)))
    x, y = FACE
    assert near(face, {1: (y, 512 - x), 2: (512 - x, 512 - y), 3: (512 - y, x)}[turns], 12)


def test_a_turned_face_has_the_landmarks_of_the_upright_one(detector, portrait):
    upright = detector.detect(portrait)[0].landmarks
    turned = detector.detect(np.ascontiguousarray(np.rot90(portrait, 2)))[0].landmarks
    for name in ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right"):
        x, y = getattr(upright, name)
        assert np.allclose(getattr(turned, name), (511 - x, 511 - y), atol=3)


def test_the_second_look_can_be_left_out(portrait):
    detector = MtcnnDetector(second_look=False)
    assert detector.detect(np.ascontiguousarray(np.rot90(portrait, 2))) == []


def test_faces_under_the_smallest_size_are_left_out(portrait):
    assert MtcnnDetector(min_face=150).detect(portrait) == []


def test_a_small_face_is_found_when_asked_for(portrait):
    tiny = np.asarray(Image.fromarray(portrait).resize((120, 120), Image.Resampling.BOX))
    assert len(MtcnnDetector(min_face=20).detect(tiny)) == 1


def test_a_face_cut_by_the_edge_keeps_its_box_inside(detector, portrait):
    cut = np.ascontiguousarray(portrait[90:400, 60:460])
    for face in detector.detect(cut):
        assert face.box.x >= 0
        assert face.box.y >= 0
        assert face.box.x + face.box.width <= 400
        assert face.box.y + face.box.height <= 310


def test_the_image_is_left_as_it_was(detector, portrait):
    image = portrait.copy()
    detector.detect(image)
    assert (image == portrait).all()


def test_a_gray_photo_works_too(detector, portrait):
    gray = cv2.cvtColor(cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert len(detector.detect(gray)) == 1


@pytest.mark.parametrize(
    "options", [{"min_face": 11}, {"min_face": 0}, {"min_face": 200, "max_side": 100}]
)
def test_sizes_that_make_no_sense_are_refused(options):
    with pytest.raises(ValueError, match=r"m(in_face|ax_side) must"):
        MtcnnDetector(**options)


def test_a_close_face_on_its_side_is_not_taken_for_an_upright_one(detector, different_faces):
    upright = [detector.detect(photo)[0].landmarks.nose for photo in different_faces]
    for photo, (x, y) in zip(different_faces, upright, strict=True):
        (face,) = detector.detect(np.ascontiguousarray(np.rot90(photo)))
        assert np.allclose(face.landmarks.nose, (y, 299 - x), atol=5)
        assert face.landmarks.left_eye[1] > face.landmarks.right_eye[1] + 20


def test_another_smallest_face_shares_the_networks(detector, portrait):
    strict = detector.with_min_face(150)
    assert strict.detect(portrait) == []
    assert len(detector.detect(portrait)) == 1
    assert strict._output is detector._output


@pytest.mark.parametrize("min_face", [11, 2000])
def test_another_smallest_face_must_make_sense(detector, min_face):
    with pytest.raises(ValueError, match=r"m(in_face|ax_side) must"):
        detector.with_min_face(min_face)


def placed(portrait: np.ndarray, x: float, y: float, scale: float) -> np.ndarray:
    """A 640x480 frame with the center of the portrait's face at x, y."""
    matrix = np.array([[scale, 0, x - scale * FACE[0]], [0, scale, y - scale * FACE[1]]], float)
    return cv2.warpAffine(portrait, matrix, (640, 480), borderMode=cv2.BORDER_REPLICATE)


def test_a_still_face_is_followed_to_where_a_search_finds_it(detector, portrait):
    (face,) = detector.detect(portrait)
    (followed,) = detector.follow(portrait, [face.box])
    assert near(followed, center(face), 3)
    for name in ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right"):
        expected = getattr(face.landmarks, name)
        assert np.allclose(getattr(followed.landmarks, name), expected, atol=3)


@pytest.mark.parametrize("direction", range(0, 360, 45))
def test_a_face_that_moves_is_followed(detector, portrait, direction):
    x, y, step = 320, 240, 28  # a quarter of the face's height
    boxes = [detector.detect(placed(portrait, x, y, 1))[0].box]
    for _ in range(4):
        x += step * np.cos(np.radians(direction))
        y += step * np.sin(np.radians(direction))
        (face,) = detector.follow(placed(portrait, x, y, 1), boxes)
        assert near(face, (x, y), 12)
        boxes = [face.box]


@pytest.mark.parametrize("growth", [0.8, 1.25])
def test_a_face_that_changes_its_size_is_followed(detector, portrait, growth):
    first = detector.detect(placed(portrait, 320, 240, 1))[0].box
    boxes = [first]
    for step in (1, 2, 3):
        frame = placed(portrait, 320, 240, growth**step)
        (face,) = detector.follow(frame, boxes)
        assert face.box.height == pytest.approx(first.height * growth**step, rel=0.15)
        boxes = [face.box]


def test_a_face_that_is_gone_is_dropped(detector, portrait):
    box = detector.detect(portrait)[0].box
    for frame in (skimage.data.coffee(), np.full((480, 640, 3), 90, np.uint8)):
        assert detector.follow(frame, [box]) == []


def test_only_the_faces_that_are_still_there_are_followed(detector, portrait):
    frame = placed(portrait, 200, 240, 1)
    box = detector.detect(frame)[0].box
    gone = BoundingBox(box.x + 250, box.y, box.width, box.height)
    (face,) = detector.follow(frame, [gone, box])
    assert near(face, (200, 240), 10)


def test_two_boxes_that_lead_to_one_face_give_it_once(detector, portrait):
    box = detector.detect(portrait)[0].box
    boxes = [
        BoundingBox(box.x + shift * box.width, box.y, box.width, box.height)
        for shift in (-0.2, 0, 0.2)
    ]
    assert len(detector.follow(portrait, boxes)) == 1


def test_every_face_of_a_group_is_followed_the_largest_first(detector, different_faces):
    frame = np.hstack(different_faces[:3])
    boxes = [face.box for face in detector.detect(frame)]
    followed = detector.follow(np.roll(frame, 30, axis=0), boxes[::-1])
    assert len(followed) == 3
    areas = [face.box.width * face.box.height for face in followed]
    assert areas == sorted(areas, reverse=True)


def test_a_large_frame_is_followed_in_its_own_pixels(detector, portrait):
    large = np.asarray(Image.fromarray(portrait).resize((3000, 3000)))
    (face,) = detector.follow(large, [detector.detect(large)[0].box])
    assert near(face, (FACE[0] * 3000 / 512, FACE[1] * 3000 / 512), 60)


def test_a_followed_face_under_the_smallest_size_is_left_out(detector, portrait):
    box = detector.detect(portrait)[0].box
    assert detector.with_min_face(150).follow(portrait, [box]) == []


def test_following_nothing_finds_nothing(detector, portrait):
    assert detector.follow(portrait, []) == []


@pytest.mark.parametrize(
    "box", [BoundingBox(-500, -500, 50, 60), BoundingBox(5000, 40, 0, 0), BoundingBox(0, 0, 9e4, 1)]
)
def test_a_box_outside_the_frame_leads_nowhere(detector, portrait, box):
    assert detector.follow(portrait, [box]) == []


def pale(rgb: np.ndarray) -> np.ndarray:
    return (rgb // 16 + 112).astype(np.uint8)


def test_a_face_in_a_washed_out_photo_is_found(detector, portrait):
    once = MtcnnDetector(second_look=False)
    assert not once.detect(pale(portrait))
    (found,) = detector.detect(pale(portrait))
    (expected,) = detector.detect(portrait)
    assert abs(found.box.x - expected.box.x) < 0.2 * expected.box.width


@pytest.mark.parametrize("name", ["coffee", "rocket", "chelsea"])
def test_nothing_is_found_in_a_washed_out_photo_without_a_face(detector, name):
    assert detector.detect(pale(getattr(skimage.data, name)())) == []


def test_a_face_that_fills_the_picture_is_found(detector, portrait):
    (known,) = detector.detect(portrait)
    box = known.box
    left, top = round(box.x + 0.1 * box.width), round(box.y + 0.1 * box.height)
    right, bottom = round(box.x + 0.9 * box.width), round(box.y + 0.9 * box.height)
    tight = np.ascontiguousarray(portrait[top:bottom, left:right])
    assert not MtcnnDetector(second_look=False).detect(tight)
    (found,) = detector.detect(tight)
    assert 0 <= found.box.x < found.box.x + found.box.width <= tight.shape[1]
    nose = found.landmarks.nose
    assert abs(nose[0] + left - known.landmarks.nose[0]) < 0.15 * box.width


def test_a_detector_with_another_size_shares_the_networks(detector):
    other = detector.with_max_side(4000)
    assert (other.max_side, detector.max_side) == (4000, 1280)
    assert other._output is detector._output
