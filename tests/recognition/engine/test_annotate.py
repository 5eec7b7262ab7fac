"""Faces drawn onto frames."""

import json

import numpy as np
import pytest
from PIL import ImageColor

from recognition.engine.annotate import painter, read_marks
from recognition.engine.emotions import COLORS, EMOTIONS

GRAY = np.full((400, 600, 3), 128, np.uint8)
HAPPY = [0.02, 0.02, 0.02, 0.8, 0.02, 0.02, 0.1]


@pytest.fixture
def paint(tmp_path):
    """A function that draws marks, given as {time: {key: (name, box, probabilities)}}."""

    def made(marks: dict, width: int = 600, step: float = 0.2):
        path = tmp_path / "marks.jsonl"
        path.write_text("".join(json.dumps([time, faces]) + "\n" for time, faces in marks.items()))
        return painter(read_marks(path), width, step)

    return made


def left_edge(rgb: np.ndarray, emotion: str, row: int) -> int | None:
    """Where the box of this expression's color begins in a row of the frame."""
    color = np.array(ImageColor.getrgb(COLORS[emotion]))
    columns = np.flatnonzero(np.abs(rgb[row].astype(int) - color).max(axis=-1) < 3)
    return int(columns[0]) if len(columns) else None


def test_a_face_has_its_box_in_the_color_of_its_expression(paint):
    draw = paint({0.0: {"1": ("", [200, 150, 80, 100], HAPPY)}})
    rgb = draw(GRAY, 0.0)
    assert left_edge(rgb, "happy", 200) == pytest.approx(200, abs=2)
    assert (GRAY == 128).all()


def test_a_box_moves_evenly_between_samples_and_goes_with_its_face(paint):
    faces = {"1": ("", [100, 150, 80, 100], HAPPY)}
    draw = paint({0.0: faces, 0.2: {"1": ("", [140, 150, 80, 100], HAPPY)}, 3.0: faces})
    edges = [left_edge(draw(GRAY, time), "happy", 200) for time in (0.0, 0.1, 0.2, 0.3, 0.9, 3.0)]
    assert edges == [*(pytest.approx(x, abs=2) for x in (100, 120, 140, 140)), None, 99]


def test_boxes_fit_frames_of_another_size(paint):
    draw = paint({0.0: {"1": ("", [400, 300, 160, 200], HAPPY)}}, width=1200)
    assert left_edge(draw(GRAY, 0.0), "happy", 200) == pytest.approx(200, abs=2)


def test_bars_show_all_seven_in_their_order(paint):
    even = [1 / 7] * 7
    rgb = paint({0.0: {"1": ("", [200, 100, 140, 100], even)}})(GRAY, 0.0)
    below = [left_edge(rgb, emotion, row) for emotion in EMOTIONS for row in range(203, 260)]
    assert sum(edge == 200 for edge in below) >= 7 * 2
    rows = [min(r for r in range(203, 260) if left_edge(rgb, e, r) == 200) for e in EMOTIONS]
    assert rows == sorted(rows)


@pytest.mark.parametrize("name", ["Zoë", "李", "a" * 100])
@pytest.mark.parametrize("box", [[-30, -20, 80, 100], [560, 350, 90, 90]])
def test_labels_stay_inside_whatever_they_say(paint, name, box):
    rgb = paint({0.0: {"1": (name, box, HAPPY)}})(GRAY, 0.0)
    assert rgb.shape == GRAY.shape
    assert (rgb == 255).all(axis=-1).any()
