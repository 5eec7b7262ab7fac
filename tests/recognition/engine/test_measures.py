"""What a face does: pose, eyes, mouth and brows as geometry on its mesh."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from recognition.engine.detector import MtcnnDetector
from recognition.engine.measures import (
    MEASURES,
    NEUTRAL,
    RIGID,
    Measures,
    angles_of,
    count_blinks,
    hints_of,
    measure,
    movement_of,
    rotation_of,
)
from recognition.engine.mesh import FaceMesh, Mesh

NETWORKS = FaceMesh(irises=True)
AT_REST = Measures(0, 0, 0, 0.55, 0.55, 0.02, 0.55, 0.54, 0, 0)


def measured(rgb: np.ndarray) -> Measures:
    face = MtcnnDetector().detect(rgb)[0]
    found = measure(NETWORKS.read(rgb, face.landmarks))
    assert found is not None
    return found


def turned_head(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """A mesh [468, 3] of a head that turns right, nods down and tilts clockwise, in degrees."""
    y, x, z = np.radians([yaw, pitch, roll])
    # The face looks along -z; y points down.
    about_y = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    points = np.zeros((468, 3))
    for index, place in RIGID.items():
        points[index] = 100 * (about_z @ about_y @ about_x @ np.array(place)) + [320, 240, 0]
    return points


@pytest.mark.parametrize("yaw", [-60, -30, 0, 30, 60])
def test_yaw_is_that_of_the_head(yaw):
    assert angles_of(rotation_of(turned_head(yaw, 0, 0))) == pytest.approx((yaw, 0, 0), abs=0.1)


@pytest.mark.parametrize("pitch", [-40, -15, 15, 40])
def test_pitch_is_that_of_the_head(pitch):
    assert angles_of(rotation_of(turned_head(0, pitch, 0))) == pytest.approx((0, pitch, 0), abs=0.1)


@pytest.mark.parametrize("roll", [-80, -20, 20, 80])
def test_roll_is_that_of_the_head(roll):
    assert angles_of(rotation_of(turned_head(0, 0, roll))) == pytest.approx((0, 0, roll), abs=0.1)


def test_angles_of_a_head_that_turns_and_tilts_come_back():
    yaw, _pitch, _roll = angles_of(rotation_of(turned_head(25, 0, 10)))

    assert yaw == pytest.approx(25, abs=1.5)


def test_a_portrait_faces_the_camera_with_open_eyes(portrait):
    found = measured(portrait)

    assert max(abs(found.yaw), abs(found.pitch), abs(found.roll)) < 10
    assert min(found.eye_left, found.eye_right) > 0.35


def test_a_mirrored_portrait_has_mirrored_measures(portrait):
    found, mirrored = measured(portrait), measured(np.ascontiguousarray(portrait[:, ::-1]))

    assert mirrored.yaw == pytest.approx(-found.yaw, abs=3)
    assert mirrored.roll == pytest.approx(-found.roll, abs=3)
    assert mirrored.mouth_corners == pytest.approx(found.mouth_corners, abs=0.06)


def test_a_tilted_photo_tilts_the_head_and_nothing_else(portrait):
    matrix = cv2.getRotationMatrix2D((256, 256), -20, 1)  # clockwise
    found = measured(portrait)

    tilted = measured(cv2.warpAffine(portrait, matrix, (512, 512)))

    assert tilted.roll == pytest.approx(found.roll + 20, abs=3)
    assert tilted.yaw == pytest.approx(found.yaw, abs=4)
    assert tilted.mouth_corners == pytest.approx(found.mouth_corners, abs=0.06)


def test_smiling_people_draw_up_the_corners_of_their_mouths(pairs):
    lifted = [
        measured(smiling).mouth_corners - measured(neutral).mouth_corners
        for neutral, smiling in pairs
    ]

    assert sum(lift > 0 for lift in lifted) == len(lifted)


def test_neutral_portraits_show_what_is_said_to_be_neutral(pairs):
    found = [measured(neutral) for neutral, _smiling in pairs]

    for name, wanted in NEUTRAL.items():
        assert np.median([getattr(one, name) for one in found]) == pytest.approx(wanted, abs=0.05)


def moved(mesh: Mesh, indices: list[int], by: tuple[float, float]) -> Mesh:
    points = mesh.points.copy()
    points[indices, :2] += np.array(by)
    return replace(mesh, points=points)


@pytest.fixture(scope="module")
def mesh() -> Mesh:
    import skimage.data

    portrait = skimage.data.astronaut()
    return NETWORKS.read(portrait, MtcnnDetector().detect(portrait)[0].landmarks)


def test_lids_that_meet_close_the_eye(mesh):
    points = mesh.points.copy()
    for upper, lower in ((160, 144), (158, 153)):
        points[upper] = points[lower]

    found, before = measure(replace(mesh, points=points)), measure(mesh)

    assert found
    assert before
    assert found.eye_left == 0.0
    assert found.eye_right == before.eye_right


def test_a_lowered_lip_opens_the_mouth(mesh):
    before, found = measure(mesh), measure(moved(mesh, [14], (0, 12)))

    assert found
    assert before
    assert found.mouth_open > before.mouth_open + 0.2


def test_raised_brows_are_measured(mesh):
    brows = [105, 66, 107, 334, 296, 336]

    before, found = measure(mesh), measure(moved(mesh, brows, (0, -5)))

    assert found
    assert before
    assert found.brows > before.brows + 0.1


def test_irises_that_move_to_the_right_look_to_the_right(mesh):
    assert mesh.irises is not None
    before = measure(mesh)
    found = measure(replace(mesh, irises=mesh.irises + np.array([3, 0, 0], np.float32)))

    assert before
    assert found
    assert None not in (before.gaze_x, found.gaze_x)
    assert found.gaze_x > before.gaze_x + 5


def test_without_irises_there_is_no_gaze(mesh):
    found = measure(replace(mesh, irises=None))

    assert found is not None
    assert found.to_list()[-2:] == [None, None]


def test_of_a_mesh_without_a_face_nothing_is_measured(mesh):
    assert measure(replace(mesh, score=0.3)) is None


def test_values_are_stored_in_the_order_of_their_names(mesh):
    found = measure(mesh)

    assert found is not None
    for name, value in zip(MEASURES, found.to_list(), strict=True):
        assert value == pytest.approx(getattr(found, name), abs=0.05)


@pytest.mark.parametrize(
    ("changes", "covered", "hints"),
    [
        ({}, 0.1, []),
        ({"yaw": -35}, 0.1, ["turned"]),
        ({"pitch": 31}, 0.1, ["turned"]),
        ({"eye_left": 0.1, "eye_right": 0.2}, None, ["eyes_closed"]),
        ({"eye_left": 0.1}, 0.1, []),  # a wink
        ({}, 0.9, ["partly_covered"]),
    ],
)
def test_hints_follow_from_the_measures(changes, covered, hints):
    assert hints_of(replace(AT_REST, **changes).to_list(), covered) == hints


def test_of_what_was_not_measured_nothing_is_said():
    assert hints_of(None, None) == []


def rows(**changes: list[float]) -> np.ndarray:
    """Measures at rest, [n, 10], with these columns."""
    count = len(next(iter(changes.values())))
    values = np.array([replace(AT_REST).to_list()] * count, dtype=float)
    for name, column in changes.items():
        values[:, MEASURES.index(name)] = column
    return values


def test_blinks_are_counted_and_long_closures_are_not():
    eyes = [0.5] * 10 + [0.1] * 2 + [0.5] * 10 + [0.1] * 12 + [0.5] * 10 + [0.2] + [0.5] * 5
    times = np.arange(len(eyes)) / 15

    assert count_blinks(times, np.array(eyes)) == 2


def test_half_a_blink_at_the_end_does_not_count():
    assert count_blinks(np.arange(8) / 15, np.array([0.5] * 6 + [0.1] * 2)) == 0


def test_movement_tells_blinks_mouth_and_turns():
    open_and_closed = [0.0, 0.5] * 15
    eyes = [0.5] * 20 + [0.1] * 2 + [0.5] * 8
    values = rows(
        mouth_open=open_and_closed, eye_left=eyes, eye_right=eyes, yaw=[40.0] * 15 + [0.0] * 15
    )

    found = movement_of(np.arange(30) / 10, values)

    assert found is not None
    assert (found.blinks, found.turned) == (1, 0.5)
    assert found.mouth == pytest.approx(5.0)  # half its range, ten times a second
    assert found.blinks_per_minute == pytest.approx(60 / 2.9, abs=0.1)


def test_blinks_are_not_counted_where_frames_are_too_rare_to_see_them():
    found = movement_of(np.arange(30) / 5, rows(yaw=[0.0] * 30))

    assert found is not None
    assert found.blinks is None


def test_frames_that_were_not_measured_are_left_out():
    values = rows(yaw=[0.0] * 4)
    values[1:] = np.nan

    assert movement_of(np.arange(4) / 10, values) is None
