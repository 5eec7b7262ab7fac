"""Helper processes make the same batches, and end with the training that they help."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.training.drawing import draw_faces
from training.core import helpers
from training.core.batches import TrainingBatches
from training.core.config import TrainingConfig
from training.core.helpers import Helpers, spare_processes

CONFIG = TrainingConfig(batch_size=32, framed=0.5)

LONELY = """
import time
import numpy as np
from training.core.helpers import Helpers, Recipe
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
        # Twice: Keras may begin an epoch anew.
        for number in [*range(len(alone)), 0]:
            for expected, made in zip(alone[number], helped[number], strict=True):
                assert np.array_equal(expected, made)


def test_helpers_end_with_a_killed_training(tmp_path):
    script = tmp_path / "lonely.py"
    script.write_text(LONELY)
    root = Path(helpers.__file__).parents[2]
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
