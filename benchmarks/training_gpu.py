"""Faces a second in training on a GPU, for the shipped network and for its teachers.

    KERAS_BACKEND=jax make bench-training_gpu       (or torch)

Trains on drawn faces as the preset "shipped" does, augmentation included, with the data in memory
and sixteen steps a call. The first epoch compiles and doesn't count. Without a GPU it says so and
measures nothing; --anyway measures the processor, to try it out.
"""

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from recognition.engine.emotions import EMOTIONS
from training.core.checkpoint import Epoch
from training.core.config import SHIPPED
from training.core.data.faces import AS_IT_IS, Faces
from training.core.fit import fit

GOALS = {"se_resnet": 15_000, "se_resnet_wide": 4_000}
"""Faces a second on one H100."""


def gpu_of(backend: str) -> str | None:
    """The name of the GPU that this backend of Keras uses, or None."""
    if backend == "jax":
        import jax

        found = [device for device in jax.devices() if device.platform == "gpu"]
        return str(found[0].device_kind) if found else None
    if backend == "torch":
        import torch

        return torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
    import tensorflow

    found = tensorflow.config.list_physical_devices("GPU")
    return str(found[0].name) if found else None


def draw(count: int) -> Faces:
    """Noise with labels: speed doesn't depend on what the faces show."""
    random = np.random.default_rng(0)
    labels = random.integers(0, len(EMOTIONS), count)
    return Faces(
        images=random.integers(0, 256, (count, 48, 48), np.uint8),
        labels=labels,
        splits=np.zeros(count, np.uint8),
        votes=np.zeros((count, len(EMOTIONS)), np.float32),
        is_face=np.ones(count, bool),
        groups=np.arange(count),
        sources={},
        framings=np.repeat(AS_IT_IS[None], count, axis=0),
        taught=np.eye(len(EMOTIONS), dtype=np.float32)[labels],
    )


def faces_per_second(architecture: str, faces: Faces, steps_at_once: int) -> float:
    """From the time between the ends of the second and the last of three epochs."""
    config = replace(SHIPPED, architecture=architecture, start="random", epochs=3, batch_size=128)
    ends: list[Epoch] = []
    with tempfile.TemporaryDirectory() as folder:
        fit(config, faces, Path(folder), on_epoch=ends.append, steps_at_once=steps_at_once)
    read = int(0.95 * len(faces)) // 128 * 128
    return 2 * read / (ends[2].seconds - ends[0].seconds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=int, default=28_000)
    parser.add_argument("--steps-at-once", type=int, default=16)
    parser.add_argument("--anyway", action="store_true", help="measure without a GPU")
    options = parser.parse_args()
    backend = keras.backend.backend()
    gpu = gpu_of(backend)
    if gpu is None and not options.anyway:
        print(
            f"skipped: Keras runs on {backend} and finds no GPU. Install JAX or PyTorch with CUDA "
            "and set KERAS_BACKEND to jax or torch."
        )
        return 0
    faces, missed = draw(options.faces), False
    for architecture, goal in GOALS.items():
        reached = faces_per_second(architecture, faces, options.steps_at_once)
        print(
            f"{architecture}: {reached:,.0f} faces/s on {gpu or 'the processor'} (goal: {goal:,})"
        )
        missed = missed or (gpu is not None and reached < goal)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
