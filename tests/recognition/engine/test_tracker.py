"""A face keeps its number while in view, and its probabilities are smoothed."""

import subprocess
import sys
from math import exp

import cv2
import numpy as np
import pytest

from recognition.engine.tracker import FORGET_AFTER, Tracker
from recognition.engine.types import BoundingBox, Detection, Face, Landmarks, Prediction

from .conftest import ROOT

HAPPY = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
NEUTRAL = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
MIXED = (0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1)


def face(x: float, y: float = 240, size: float = 100, probabilities=MIXED) -> Face:
    """A face with its center at x, y and about `size` pixels large."""
    box = BoundingBox(x - 0.43 * size, y - 0.5 * size, 0.86 * size, size)
    landmarks = Landmarks(*[(x, y)] * 5)
    return Face(Detection(box, 0.99, landmarks), Prediction(probabilities))


def numbers(tracker: Tracker, faces: list[Face], time: float) -> list[int]:
    return [tracked.track for tracked in tracker.update(faces, time)]


def times(seconds: float, rate: float = 15, seed: int = 0) -> list[float]:
    """When frames come: irregularly, about `rate` a second."""
    gaps = np.random.default_rng(seed).choice([0.6, 1, 1, 1.4, 2], round(seconds * rate)) / rate
    return np.cumsum(gaps / gaps.sum() * seconds).tolist()


class Camera:
    """Faces with a detector's jitter of 2 %."""

    def __init__(self, seed: int = 0) -> None:
        self.chance = np.random.default_rng(seed)

    def see(self, x: float, y: float = 240, size: float = 100) -> Face:
        dx, dy, growth = self.chance.normal(0, 0.02, 3)
        return face(x + dx * size, y + dy * size, size * exp(growth))


def test_faces_are_numbered_from_one_in_the_order_given():
    tracker = Tracker()
    assert numbers(tracker, [face(100), face(300), face(500)], 0) == [1, 2, 3]
    assert tracker.count == 3


def test_a_face_keeps_its_number_in_any_order():
    tracker = Tracker()
    tracker.update([face(100), face(300), face(500)], 0)
    assert numbers(tracker, [face(505), face(98), face(301)], 0.1) == [3, 1, 2]


def test_the_answer_has_the_face_itself():
    seen = [face(100), face(300)]
    assert [tracked.face for tracked in Tracker().update(seen, 0)] == seen


def test_no_faces_are_a_normal_frame():
    assert Tracker().update([], 0) == []


@pytest.mark.parametrize("rate", [30, 15, 5])
def test_a_face_that_walks_through_the_picture_keeps_its_number(rate):
    tracker, camera = Tracker(), Camera()
    seen = {numbers(tracker, [camera.see(50 + 180 * time)], time)[0] for time in times(3, rate)}
    assert seen == {1}


def test_a_face_that_nods_and_shakes_keeps_its_number():
    tracker, camera = Tracker(), Camera()
    for time in times(4):
        x, y = 320 + 60 * np.sin(9 * time), 240 + 40 * np.cos(7 * time)
        assert numbers(tracker, [camera.see(x, y)], time) == [1]


def test_a_face_that_comes_closer_keeps_its_number():
    tracker, camera = Tracker(), Camera()
    for time in times(2):
        assert numbers(tracker, [camera.see(320, 240, 60 * 2**time)], time) == [1]


@pytest.mark.parametrize("gap", [0.1, 0.2, 0.3])
def test_a_sudden_jump_keeps_its_number(gap):
    tracker = Tracker()
    for step in range(10):
        tracker.update([face(320)], step / 15)
    assert numbers(tracker, [face(380, 220)], 9 / 15 + gap) == [1]


@pytest.mark.parametrize("gap", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("speed", [0, 150])
def test_an_occlusion_keeps_the_number(speed, gap):
    tracker, camera = Tracker(), Camera()
    for time in times(1):
        tracker.update([camera.see(100 + speed * time)], time)
    for time in np.arange(1.05, 1 + gap, 0.066):
        assert tracker.update([], time) == []
    assert numbers(tracker, [camera.see(100 + speed * (1 + gap))], 1 + gap) == [1]


def test_a_face_long_gone_gets_a_new_number():
    tracker = Tracker()
    tracker.update([face(100)], 0)
    tracker.update([], 0.5)
    assert numbers(tracker, [face(100)], FORGET_AFTER + 0.1) == [2]


def test_frames_that_stop_for_long_make_every_face_new():
    tracker = Tracker()
    tracker.update([face(100)], 0)
    assert numbers(tracker, [face(100)], 60) == [2]


def test_a_face_elsewhere_is_another_one():
    tracker = Tracker()
    tracker.update([face(100)], 0)
    assert numbers(tracker, [face(400)], 0.1) == [2]


@pytest.mark.parametrize("size", [50, 200])
def test_a_face_of_quite_another_size_is_another_one(size):
    tracker = Tracker()
    tracker.update([face(100)], 0)
    assert numbers(tracker, [face(100, size=size)], 0.1) == [2]


def test_a_newcomer_does_not_push_the_numbers_along():
    tracker = Tracker()
    for step in range(5):
        tracker.update([face(100), face(220)], step / 15)
    # The second is hidden; a new face appears behind it.
    assert numbers(tracker, [face(100), face(420)], 0.4) == [1, 3]


def test_a_false_hit_gets_a_number_and_takes_none():
    tracker = Tracker()
    tracker.update([face(100)], 0)
    assert numbers(tracker, [face(300, 400, 60), face(101)], 0.07) == [2, 1]
    assert numbers(tracker, [face(102)], 0.14) == [1]
    assert tracker.count == 2


def test_numbers_are_not_used_twice():
    tracker = Tracker()
    given = [numbers(tracker, [face(100)], 10 * step)[0] for step in range(5)]
    assert given == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("rate", [30, 15, 8])
@pytest.mark.parametrize("hidden", [0.2, 0.35, 0.5])
@pytest.mark.parametrize("seed", range(4))
def test_two_that_cross_keep_their_numbers(seed, hidden, rate):
    tracker, camera = Tracker(), Camera(seed)
    seen = []
    for time in times(3, rate, seed):
        front = camera.see(320 + 120 * (time - 1.5), 240, 105)
        behind = camera.see(320 - 100 * (time - 1.5), 232, 95)
        if abs(time - 1.5) < hidden / 2:
            seen.append((numbers(tracker, [front], time)[0], None))
        else:
            seen.append(tuple(numbers(tracker, [front, behind], time)))
    assert {pair[0] for pair in seen} == {1}
    assert {pair[1] for pair in seen} == {2, None}


def test_someone_who_walks_past_a_sitting_person_takes_no_number():
    tracker, camera = Tracker(), Camera()
    for time in times(3):
        walking, sitting = camera.see(50 + 200 * time, 230, 130), camera.see(320, 250, 100)
        if abs(50 + 200 * time - 320) < 50:
            assert numbers(tracker, [walking], time) == [1]
        else:
            assert numbers(tracker, [walking, sitting], time) == [1, 2]


def test_a_box_that_shrinks_before_the_face_is_hidden_keeps_its_number():
    tracker = Tracker()
    for step, size in enumerate([100, 100, 100, 100, 95, 88, 80]):
        tracker.update([face(100 + 6 * step, size=size)], step / 10)
    tracker.update([], 0.9)
    assert numbers(tracker, [face(170)], 1.15) == [1]


def paste(frame: np.ndarray, photo: np.ndarray, x: float) -> None:
    """Put the face of a 300x300 photo into the frame, its middle at x."""
    head = cv2.ellipse(np.zeros((300, 300), np.uint8), (150, 150), (102, 135), 0, 0, 360, 255, -1)
    left = round(x) - 150
    frame[90:390, left : left + 300][head > 0] = photo[head > 0]


def test_two_real_faces_that_cross_keep_their_numbers(detector, different_faces):
    tracker, seen = Tracker(), {"front": set(), "behind": set()}
    searching = detector.with_min_face(60)
    for step in range(33):
        front, behind = 160 + 10 * step, 480 - 10 * step
        frame = np.full((480, 640, 3), 120, np.uint8)
        paste(frame, different_faces[1], behind)
        paste(frame, different_faces[0], front)
        hints = [] if tracker.hidden or step % 5 == 0 else tracker.visible()
        detections = searching.follow(frame, hints)
        if not hints or len(detections) < len(hints):
            detections = searching.detect(frame)
        faces = [Face(detection, Prediction(MIXED)) for detection in detections]
        for tracked in tracker.update(faces, step / 15):
            middle = tracked.face.detection.box.x + tracked.face.detection.box.width / 2
            if abs(front - behind) > 100:
                is_front = abs(middle - front) < abs(middle - behind)
                seen["front" if is_front else "behind"].add(tracked.track)
    assert [len(given) for given in seen.values()] == [1, 1]
    assert seen["front"] != seen["behind"]


def test_a_face_that_is_missed_leaves_its_neighbor_its_number():
    tracker = Tracker()
    for step in range(6):
        tracker.update([face(200), face(290)], step / 15)
    assert numbers(tracker, [face(291)], 0.4) == [2]
    assert numbers(tracker, [face(201), face(290)], 0.5) == [1, 2]


def test_a_clock_that_goes_back_does_no_harm():
    tracker = Tracker()
    tracker.update([face(100)], 5)
    assert numbers(tracker, [face(101)], 4) == [1]
    assert numbers(tracker, [face(102)], 5.1) == [1]


def test_two_frames_of_the_same_moment_do_no_harm():
    tracker = Tracker()
    tracker.update([face(100)], 5)
    assert numbers(tracker, [face(100)], 5) == [1]


def test_an_empty_box_does_no_harm():
    tracker = Tracker()
    for time in (0, 0.1):
        assert numbers(tracker, [face(0, 0, 0)], time) == [1]


def test_the_visible_boxes_are_those_of_the_last_frame():
    tracker = Tracker()
    tracker.update([face(100), face(300)], 0)
    last = face(302)
    tracker.update([last], 0.1)
    assert tracker.visible() == [last.detection.box]
    tracker.update([], 0.1)
    assert tracker.visible() == []


def test_hidden_faces_are_counted_until_they_are_forgotten():
    tracker = Tracker()
    tracker.update([face(100), face(300)], 0)
    assert tracker.hidden == 0
    tracker.update([face(300)], 0.5)
    assert tracker.hidden == 1
    tracker.update([face(300)], FORGET_AFTER + 0.1)
    assert tracker.hidden == 0


def smoothed(tracker: Tracker, probabilities, time: float) -> tuple[float, ...]:
    (tracked,) = tracker.update([face(100, probabilities=probabilities)], time)
    return tracked.smoothed


def test_a_new_face_starts_with_its_first_value():
    assert smoothed(Tracker(5), HAPPY, 100) == HAPPY


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_a_change_is_taken_in_by_time_and_not_by_frames(steps):
    tracker = Tracker(0.5)
    smoothed(tracker, NEUTRAL, 0)
    for step in range(steps):
        values = smoothed(tracker, HAPPY, 0.6 * (step + 1) / steps)
    assert values[3] == pytest.approx(1 - exp(-0.6 / 0.5))
    assert values[6] == pytest.approx(exp(-0.6 / 0.5))


def test_a_gap_counts_as_the_time_it_took():
    tracker = Tracker(0.5)
    smoothed(tracker, NEUTRAL, 0)
    tracker.update([], 0.4)
    assert smoothed(tracker, HAPPY, 0.8)[6] == pytest.approx(exp(-0.8 / 0.5))


def test_without_smoothing_the_values_are_raw():
    tracker = Tracker(0)
    smoothed(tracker, NEUTRAL, 0)
    assert smoothed(tracker, MIXED, 0.01) == MIXED
    assert smoothed(tracker, HAPPY, 0.01) == HAPPY


def test_the_smoothing_may_change_at_any_time():
    tracker = Tracker(5)
    smoothed(tracker, NEUTRAL, 0)
    tracker.smoothing = 0.2
    assert smoothed(tracker, HAPPY, 0.4)[3] == pytest.approx(1 - exp(-0.4 / 0.2))


def test_smoothed_values_still_sum_to_one():
    tracker, chance = Tracker(0.3), np.random.default_rng(0)
    for step in range(200):
        values = smoothed(tracker, tuple(chance.dirichlet(np.ones(7)).tolist()), step / 15)
        assert sum(values) == pytest.approx(1)


def test_each_face_is_smoothed_on_its_own():
    tracker = Tracker(0.3)
    tracker.update([face(100, probabilities=HAPPY), face(300, probabilities=NEUTRAL)], 0)
    right, left = tracker.update(
        [face(300, probabilities=NEUTRAL), face(100, probabilities=HAPPY)], 0.1
    )
    assert right.smoothed == pytest.approx(NEUTRAL)
    assert left.smoothed == pytest.approx(HAPPY)


def test_it_loads_neither_opencv_nor_onnx_runtime():
    script = (
        "import sys, recognition.engine.tracker\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        "assert not loaded & {'cv2', 'onnxruntime', 'numpy', 'PIL', 'django'}, loaded\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)
