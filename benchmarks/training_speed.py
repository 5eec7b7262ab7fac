"""Images per second of a real training, compared with a plain Keras fit on arrays in memory.

    make bench-training_speed

Both take turns with the same network, batch size and 48-pixel faces; Mien's with the reading,
augmentation, framings, schedule and weight averaging of the shipped preset. Both use random faces,
which take the same time.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np

from training.core.checkpoint import Progress
from training.core.config import SHIPPED
from training.core.data.faces import AS_IT_IS
from training.core.duration import AUTO, settled
from training.core.fit import Clock, Schedule, TrainingBatches, WeightAverage, compiled

GOAL = 0.85


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--architecture", default=SHIPPED.architecture)
    options = parser.parse_args()
    config = replace(SHIPPED, architecture=options.architecture, epochs=1000, precision=AUTO)
    config = settled(config)
    count = options.steps * config.batch_size
    strength = max(strength for _, _, strength in config.stages)
    random = np.random.default_rng(0)
    targets = np.eye(7, dtype=np.float32)[random.integers(0, 7, count)]
    with tempfile.TemporaryDirectory() as folder:
        # Mapped from disk like a data set's cache.
        np.save(Path(folder) / "images.npy", random.integers(0, 256, (count, 48, 48), np.uint8))
        images = np.load(Path(folder) / "images.npy", mmap_mode="r")
        framings = np.tile(AS_IT_IS, (count, 1, 1))
        floats = np.asarray(images, np.float32)[..., np.newaxis]
        plain, ours = compiled(config), compiled(config)
        callbacks = [
            Schedule(config, Clock(config, options.steps, Progress())),
            WeightAverage(config.average),
        ]

        def run_plain(epoch: int) -> None:
            plain.fit(floats, targets, batch_size=config.batch_size, verbose=0)

        def run_ours(epoch: int) -> None:
            batches = TrainingBatches(images, targets, config, epoch, 48, strength, framings)
            ours.fit(batches, shuffle=False, callbacks=callbacks, verbose=0)

        times: dict[str, list[float]] = {"plain fit": [], "training": []}
        for epoch in range(options.rounds + 1):
            for name, run in (("plain fit", run_plain), ("training", run_ours)):
                started = time.perf_counter()
                run(epoch)
                if epoch:  # the first round builds the graphs
                    times[name].append(count / (time.perf_counter() - started))
    speeds = {name: median(values) for name, values in times.items()}
    for name, speed in speeds.items():
        print(f"{name:10} {speed:7.0f} images/s")
    ratio = speeds["training"] / speeds["plain fit"]
    print(f"ratio      {ratio:7.2f}  (goal {GOAL})")
    return 0 if ratio >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
