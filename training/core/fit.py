"""One training run, from config to weights: batches, schedule, averaging, checkpoints, resuming."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from . import checkpoint
from .architectures import build
from .augment import Helpers, Recipe, spare_processes, vary
from .checkpoint import CHECKPOINT, Epoch, Progress, read_best
from .config import RANDOM, TrainingConfig, learning_rate
from .data.faces import Faces, split_off
from .data.targets import TAUGHT, epoch_rows, read_taught, soft_targets
from .evaluate import log_loss, macro_f1

_FOLDER = Path(__file__).parent

Parts = tuple[NDArray[np.int64], NDArray[np.int64]]
"""The rows to train on, and the rows to choose the best epoch with."""


def fit(
    config: TrainingConfig,
    faces: Faces,
    folder: Path,
    *,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    should_stop: Callable[[], bool] = lambda: False,
    verbose: int = 0,
    parts: Parts | None = None,
    processes: int | None = None,
    steps_at_once: int = 1,
) -> Progress:
    """Train, or resume from the checkpoint in `folder`; the result holds the best weights.

    The best epoch is the one whose averaged weights have the highest validation accuracy.

    on_epoch: gets the figures of each epoch, once.
    should_stop: asked after every batch. A run that was stopped or killed resumes after the last
        finished epoch when it is called again, with the same data in the same order.
    parts: rows to train on and to validate on; by default Training is split as the config says.
    processes: how many other processes augment faces; None for what this machine can spare, 0 to
        augment between the steps.
    steps_at_once: how often, in batches, the learning rate, the average and `should_stop` are
        updated. A GPU that takes milliseconds per step would have to wait for them.

    Raises ValueError if the loss is no longer a number, and CheckpointError if the checkpoint is
    damaged or from a run with other settings.
    """
    model = compiled(config, steps_at_once)
    training, validation = parts or split_off(
        faces, faces.rows("Training"), config.validation, config.seed
    )
    rows = epoch_rows(faces, training, config)
    images, targets = faces.images[rows], soft_targets(faces, rows, config)
    framings = faces.framings_of(rows) if config.framed else None
    held_out, labels = faces.images[validation], faces.labels[validation]

    folder.mkdir(parents=True, exist_ok=True)
    average = WeightAverage(config.average)
    progress = Progress()
    if (folder / CHECKPOINT).exists():
        average.values, progress = checkpoint.restore(folder / CHECKPOINT, config, model)
    elif weights := starting_weights(config, faces, validation):
        model.set_weights(weights)
    clock = Clock(config, steps_per_epoch=max(1, len(rows) // config.batch_size), progress=progress)
    stop = StopWhenAsked(should_stop)

    if processes is None:
        processes = spare_processes()
    with Helpers(images, framings, processes) if processes else nullcontext() as helpers:
        while not clock.is_over() and not should_stop():
            epoch = len(progress.epochs) + 1
            side, strength = config.stage_at(clock.progress())
            # Some networks take faces of one side only.
            side = model.input_shape[1] or side
            batches = TrainingBatches(
                images, targets, config, epoch, side, strength, framings, helpers
            )
            history = model.fit(
                batches,
                initial_epoch=epoch - 1,
                epochs=epoch,
                shuffle=False,
                callbacks=[Schedule(config, clock), average, stop],
                verbose=verbose,
            ).history
            if stop.stopped:
                break
            if not np.isfinite(history["loss"][-1]):
                raise ValueError("The training diverged. Try a smaller learning rate.")
            with average.swapped_in(model):
                logits = predict_logits(model, held_out)
                progress.epochs.append(_figures(epoch, side, model, clock, history, logits, labels))
                if progress.epochs[-1].validation_accuracy >= progress.best_accuracy:
                    progress.best_epoch = epoch
                    progress.best = [keras.ops.convert_to_numpy(weight) for weight in model.weights]
            progress.seconds, progress.steps = clock.seconds(), clock.steps
            checkpoint.save(folder / CHECKPOINT, config, model, average.values, progress)
            on_epoch(progress.epochs[-1])
    return progress


def compiled(config: TrainingConfig, steps_at_once: int = 1) -> keras.Model:
    """The config's network with seeded random weights, compiled for training."""
    keras.utils.set_random_seed(config.seed)
    keras.config.set_dtype_policy(config.precision)
    try:
        model = build(config.architecture)
    finally:
        keras.config.set_dtype_policy("float32")
    options = {"learning_rate": config.learning_rate, "weight_decay": config.weight_decay}
    if config.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(momentum=0.9, nesterov=True, **options)
    else:
        optimizer = keras.optimizers.AdamW(**options)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=steps_at_once,
        # JAX would otherwise run operation by operation; the other backends only lose time.
        jit_compile=keras.backend.backend() == "jax",
    )
    return model


def starting_weights(
    config: TrainingConfig, faces: Faces, held_out: NDArray[np.int64]
) -> list[NDArray[np.float32]] | None:
    """The weights to start from, in the order of `model.weights`; None for random ones.

    first.npz holds what the shipped network had learned before it learned from taught.npz (see
    docs/explanation/how-the-model-was-made.md), from 95 % of FER2013's Training split, cut with
    seed 7. ValueError if this run holds out faces that these weights have learned: its validation
    figures would be too good.
    """
    if config.start == RANDOM:
        return None
    # The teachers labeled exactly the faces that these weights have learned.
    if read_taught(TAUGHT, faces)[held_out].any():
        raise ValueError(
            "The weights that this run starts from have learned some of the faces that it holds "
            f"out. Keep seed and validation as they are, or start from {RANDOM} weights."
        )
    _, progress = read_best(_FOLDER / f"{config.start}.npz")
    return progress.best


def trained(architecture: str, weights: Sequence[NDArray[np.float32]]) -> keras.Model:
    """A float32 network with these weights, in the order of `model.weights`."""
    model = build(architecture)
    model.set_weights(list(weights))
    return model


def predict_logits(model: keras.Model, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Logits float32 [n, 7] for faces uint8 [n, 48, 48]."""
    inputs = np.asarray(images, np.float32)[..., np.newaxis]
    return np.asarray(model.predict(inputs, batch_size=256, verbose=0), np.float32)


class TrainingBatches(keras.utils.PyDataset):
    """The batches of one epoch: faces float32 [n, side, side, 1], 0 to 255, and targets [n, 7].

    Their order and augmentation depend only on the seed, the epoch and the batch number, so a
    resumed run sees the same ones. With `helpers`, which hold the same images and framings, other
    processes augment the faces; the batches stay the same.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        targets: NDArray[np.float32],
        config: TrainingConfig,
        epoch: int,
        side: int,
        strength: float,
        framings: NDArray[np.float32] | None = None,
        helpers: Helpers | None = None,
    ) -> None:
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=8)
        # One thread: the network needs the cores, and 48 pixels aren't worth sharing.
        cv2.setNumThreads(1)
        self.images, self.targets, self.config = images, targets, config
        self.epoch, self.side, self.strength = epoch, side, strength
        self.framings, self.helpers = framings, helpers
        self.order = np.random.default_rng((config.seed, epoch)).permutation(len(images))
        self._begun: dict[int, Future[NDArray[np.uint8]]] = {}

    def __len__(self) -> int:
        # Rows left over at the end don't fill a batch; another epoch has them earlier.
        return max(1, len(self.images) // self.config.batch_size)

    def __getitem__(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if self.helpers is None:
            faces = vary(self.images, self.framings, self._recipe(number))
        else:
            faces = self._from_helpers(number, self.helpers)
        targets = self.targets[self._recipe(number).rows]
        return self._mixed(number, faces[..., np.newaxis].astype(np.float32), targets)

    def _mixed(
        self, number: int, faces: NDArray[np.float32], targets: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Blend each face and its target with the opposite one in the batch, if `mixed` is set."""
        if not self.config.mixed:
            return faces, targets
        random = np.random.default_rng((self.config.seed, self.epoch, number, 1))
        share = np.float32(random.beta(self.config.mixed, self.config.mixed))
        return (
            share * faces + (1 - share) * faces[::-1],
            share * targets + (1 - share) * targets[::-1],
        )

    def _from_helpers(self, number: int, helpers: Helpers) -> NDArray[np.uint8]:
        for later in range(number, min(number + helpers.ahead, len(self))):
            if later not in self._begun:
                self._begun[later] = helpers.vary(self._recipe(later))
        return self._begun.pop(number).result()

    def _recipe(self, number: int) -> Recipe:
        size, config = self.config.batch_size, self.config
        rows = self.order[number * size : (number + 1) * size]
        seed = (config.seed, self.epoch, number)
        return Recipe(rows, seed, config.framed, self.strength, self.side)


class Clock:
    """How far a run has come, from 0 to 1: by steps, or by time if the config sets `minutes`."""

    def __init__(self, config: TrainingConfig, steps_per_epoch: int, progress: Progress) -> None:
        self.steps = progress.steps
        self._total = config.epochs * steps_per_epoch
        self._limit = None if config.minutes is None else config.minutes * 60
        self._started = time.monotonic() - progress.seconds

    def seconds(self) -> float:
        return time.monotonic() - self._started

    def progress(self) -> float:
        done = self.steps / self._total if self._limit is None else self.seconds() / self._limit
        return min(1.0, done)

    def is_over(self) -> bool:
        return self.progress() >= 1


class Schedule(keras.callbacks.Callback):
    """Sets the learning rate of each step (see `config.learning_rate`)."""

    def __init__(self, config: TrainingConfig, clock: Clock) -> None:
        super().__init__()
        self.config, self.clock = config, clock

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._before = self.clock.steps

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        config = self.config
        self.model.optimizer.learning_rate = learning_rate(
            config.schedule, config.learning_rate, config.warmup, self.clock.progress()
        )

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        # With several steps at once, the last ones can be past the end of the epoch.
        self.clock.steps = self._before + min(batch + 1, self.params["steps"])
        if self.clock.is_over():
            self.model.stop_training = True


class WeightAverage(keras.callbacks.Callback):
    """A running average of all weights, moving statistics included.

    It generalizes better than the last weights (Polyak averaging; e.g. Izmailov et al. 2018, arXiv
    1803.05407). It is updated every few steps, because reading the weights takes time and they
    hardly change from one step to the next.
    """

    EVERY = 8

    def __init__(self, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.values: list[NDArray[np.float32]] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._taken = -1

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        passed = batch - self._taken
        if self.values and passed < self.EVERY:
            return
        self._taken = batch
        current = _weights(self.model)
        if not self.values:
            self.values = [np.array(value) for value in current]
        # Average over less at first, or the random start would dominate.
        steps = int(keras.ops.convert_to_numpy(self.model.optimizer.iterations))
        keep = min(self.decay, (1 + steps) / (10 + steps)) ** passed
        for value, new in zip(self.values, current, strict=True):
            value *= keep
            value += (1 - keep) * new

    def swapped_in(self, model: keras.Model) -> "_Swap":
        """A context manager in which the model has the averaged weights."""
        return _Swap(model, self.values)


class _Swap:
    def __init__(self, model: keras.Model, values: list[NDArray[np.float32]]) -> None:
        self.model, self.values = model, values

    def __enter__(self) -> None:
        self.own = _weights(self.model)
        self.model.set_weights(self.values)

    def __exit__(self, *details: object) -> None:
        self.model.set_weights(self.own)


class StopWhenAsked(keras.callbacks.Callback):
    """Stops the run after the batch during which `should_stop` became true."""

    def __init__(self, should_stop: Callable[[], bool]) -> None:
        super().__init__()
        self.should_stop, self.stopped = should_stop, False

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.should_stop():
            self.stopped = self.model.stop_training = True


def _weights(model: keras.Model) -> list[NDArray[np.float32]]:
    if keras.backend.backend() == "jax" and getattr(model, "_jax_state", None):
        # During `fit`, JAX keeps the current values outside the variables.
        model.jax_state_sync()
    return [np.array(keras.ops.convert_to_numpy(weight)) for weight in model.weights]


def _figures(
    number: int,
    side: int,
    model: keras.Model,
    clock: Clock,
    history: dict[str, list[float]],
    logits: NDArray[np.float32],
    labels: NDArray[np.int64],
) -> Epoch:
    predicted = logits.argmax(axis=1)
    return Epoch(
        number=number,
        side=side,
        learning_rate=float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)),
        seconds=round(clock.seconds(), 1),
        loss=float(history["loss"][-1]),
        accuracy=float(history["accuracy"][-1]),
        validation_loss=log_loss(logits, labels),
        validation_accuracy=float((predicted == labels).mean()),
        validation_macro_f1=macro_f1(labels, predicted),
    )
