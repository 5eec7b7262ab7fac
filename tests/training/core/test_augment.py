"""Augmentation samples like the engine and repeats with its seed; helpers make the same batches."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.training.drawing import draw_faces
from training.core.augment import Helpers, augment, frame, resize, spare_processes
from training.core.config import TrainingConfig
from training.core.fit import TrainingBatches


@pytest.fixture
def faces():
    """Smooth pictures, brighter to the right and below."""
    across, down = np.meshgrid(np.arange(48), np.arange(48))
    return np.stack([(across * 2 + down * 3 + 5).astype(np.uint8)] * 64)


def test_strength_zero_only_mirrors(faces):
    varied = augment(faces, np.random.default_rng(0), strength=0)
    same = np.array([np.array_equal(new, old) for new, old in zip(varied, faces, strict=True)])
    mirrored = np.array(
        [np.array_equal(new, old[:, ::-1]) for new, old in zip(varied, faces, strict=True)]
    )
    assert np.all(same | mirrored)
    assert 10 < same.sum() < 54


def test_framings_come_first_in_the_same_sampling(faces):
    framings = np.tile([[1.0, 0.0, 5.0], [0.0, 1.0, -3.0]], (64, 1, 1))
    varied = augment(faces, np.random.default_rng(0), strength=0, framings=framings)
    framed = frame(faces, framings)
    expected = augment(framed, np.random.default_rng(0), strength=0)
    assert np.array_equal(varied, expected)
    assert not np.array_equal(framed, faces)


def test_variation_turns_about_the_middle_of_the_framed_face():
    """A dot that the framing brings to the center stays there, whatever the variation."""
    face = np.zeros((48, 48), np.uint8)
    face[10:12, 30:32] = 255
    framings = np.tile([[1.0, 0.0, -7.0], [0.0, 1.0, 13.0]], (200, 1, 1))
    varied = augment(np.stack([face] * 200), np.random.default_rng(3), 0.2, framings)
    bright = np.array([image[21:27, 21:27].sum() / max(image.sum(), 1) for image in varied])
    assert np.median(bright) > 0.95


def test_the_same_seed_gives_the_same_faces(faces):
    first = augment(faces, np.random.default_rng(5))
    assert np.array_equal(first, augment(faces, np.random.default_rng(5)))
    assert not np.array_equal(first, augment(faces, np.random.default_rng(6)))


def test_faces_stay_recognizable(faces):
    varied = augment(faces, np.random.default_rng(1)).astype(float)
    aligned = [
        max(np.corrcoef(new.ravel(), old.ravel())[0, 1] for old in (face, face[:, ::-1]))
        for new, face in zip(varied, faces.astype(float), strict=True)
    ]
    assert np.median(aligned) > 0.9


def test_the_original_is_left_alone(faces):
    before = faces.copy()
    augment(faces, np.random.default_rng(2))
    assert np.array_equal(faces, before)


def test_resize_keeps_the_level(faces):
    smaller = resize(faces, 32)
    assert smaller.shape == (64, 32, 32)
    assert smaller.mean() == pytest.approx(faces.mean(), abs=1)
    assert resize(faces, 48) is faces


CONFIG = TrainingConfig(batch_size=32, framed=0.5)

LONELY = """
import time
import numpy as np
from training.core.augment import Helpers, Recipe
if __name__ == "__main__":
    pool = Helpers(np.zeros((8, 48, 48), np.uint8), None, 1)
    pool.vary(Recipe(np.arange(4), (1,), 0.0, 1.0, 48)).result()
    print(*pool._pool._processes, flush=True)
    time.sleep(60)
"""


def test_helpers_make_the_same_batches():
    images = draw_faces(160)[0]
    framings = np.tile(np.array([[1, 0, 5], [0, 1, 3]], np.float32), (160, 1, 1))
    alone = TrainingBatches(images, np.arange(160), CONFIG, 2, 40, 0.8, framings)
    with Helpers(images, framings, 2) as pool:
        helped = TrainingBatches(images, np.arange(160), CONFIG, 2, 40, 0.8, framings, pool)
        # Twice, because Keras may restart an epoch.
        for number in [*range(len(alone)), 0]:
            for expected, made in zip(alone[number], helped[number], strict=True):
                assert np.array_equal(expected, made)


def test_helpers_end_with_a_killed_training(tmp_path):
    script = tmp_path / "lonely.py"
    script.write_text(LONELY)
    root = Path(__file__).parents[3]
    training = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert training.stdout is not None
    helper = int(training.stdout.readline())
    training.send_signal(signal.SIGKILL)
    training.communicate()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and is_alive(helper):
        time.sleep(0.05)
    assert not is_alive(helper)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize(("cores", "processes"), [(1, 0), (2, 0), (4, 0), (8, 4), (64, 8)])
def test_few_cores_are_left_to_the_network(monkeypatch, cores, processes):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert spare_processes() == processes
