"""Weights in .npz files: checkpoints of a run, the best epoch, and files made elsewhere.

No file holds anything executable. Only writing one needs Keras, so every process can import this.
"""

import json
import os
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from recognition.engine.errors import ModelError

from .config import TrainingConfig

if TYPE_CHECKING:
    import keras

CHECKPOINT, BEST = "checkpoint.npz", "best.npz"
"""What a run writes: its whole state after each epoch, and the weights of the best epoch alone."""

MODEL, INT8, CARD = "expression.onnx", "expression.int8.onnx", "expression.json"
KERAS = "expression.keras"
"""What a release writes (see release.py)."""


FACTS = "facts"
"""The name of the array of JSON that our own files have beside the weights."""

BEST_PREFIX = "best/"
"""The prefix of the best epoch's weights in our own files."""

SHOWN = 3
"""How many weights that don't fit a message names."""


class CheckpointError(ValueError):
    """A checkpoint can't be used. The message says why."""


@dataclass
class Epoch:
    """The metrics of one finished epoch. Validation figures belong to the averaged weights."""

    number: int
    side: int
    learning_rate: float
    seconds: float
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    validation_macro_f1: float


@dataclass
class Progress:
    """How far a run is: finished epochs, the seconds they took, and the best epoch's weights."""

    epochs: list[Epoch] = field(default_factory=list)
    seconds: float = 0.0
    steps: int = 0
    best: list[NDArray[np.float32]] = field(default_factory=list)
    best_epoch: int = 0

    @property
    def best_accuracy(self) -> float:
        return self.epochs[self.best_epoch - 1].validation_accuracy if self.best_epoch else 0.0


def describe(epoch: Epoch) -> str:
    """One line about a finished epoch."""
    return (
        f"epoch {epoch.number}: {epoch.side} px, loss {epoch.loss:.4f}, "
        f"validation accuracy {epoch.validation_accuracy:.4f}, "
        f"macro F1 {epoch.validation_macro_f1:.4f}, {epoch.seconds:.0f} s in all"
    )


class Scored(Protocol):
    """What `is_lost` needs to know about an epoch."""

    number: int
    validation_accuracy: float


def is_lost(patience: int | None, epochs: Sequence[Scored]) -> bool:
    """Whether the last `patience` epochs were no better than the best one before them."""
    if not patience or not epochs:
        return False
    # Equally good isn't better, so the first of equals counts here, although `fit` keeps the last.
    best = max(epochs, key=lambda epoch: (epoch.validation_accuracy, -epoch.number))
    return len(epochs) - best.number >= patience


def save(
    path: Path, config: TrainingConfig, model: "keras.Model", average: list[Any], progress: Progress
) -> None:
    """Write the state after an epoch. A crash while writing leaves the previous file intact."""
    groups = {
        "model": model.variables,
        "optimizer": model.optimizer.variables,
        "average": average,
        "best": progress.best,
    }
    _save(path, config, progress, groups)


def save_best(path: Path, config: TrainingConfig, progress: Progress) -> None:
    """Write only what `read_best` needs, a fifth of a whole checkpoint."""
    _save(path, config, progress, {"best": progress.best})


def restore(path: Path, config: TrainingConfig, model: "keras.Model") -> tuple[list[Any], Progress]:
    """Restore a compiled model and its optimizer; gives the averaged weights and the progress.

    CheckpointError if the checkpoint belongs to another config.
    """
    facts, arrays = _load(path)
    if TrainingConfig.from_dict(facts["config"]) != config:
        raise CheckpointError(
            f"{path.name} is from a run with other settings. Use an empty folder."
        )
    model.optimizer.build(model.trainable_variables)
    _assign(model.variables, arrays["model"], path)
    _assign(model.optimizer.variables, arrays["optimizer"], path)
    return arrays["average"], _progress(facts, arrays)


def read_best(path: Path) -> tuple[TrainingConfig, Progress]:
    """The config and the progress of a checkpoint, including the weights of the best epoch."""
    facts, arrays = _load(path)
    return TrainingConfig.from_dict(facts["config"]), _progress(facts, arrays)


def read_facts(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """What one of our own files says about its weights; empty for any other file.

    Raises ModelError invalid_file if that can't be read.
    """
    if FACTS not in arrays:
        return {}
    try:
        facts = json.loads(str(arrays[FACTS]))
        if not isinstance(facts, dict) or not isinstance(facts.get("config", {}), dict):
            raise ValueError("it isn't a JSON object")
    except (ValueError, RecursionError) as error:
        raise ModelError("invalid_file", f"The array {FACTS!r} can't be read: {error}.") from error
    return facts


def in_order(arrays: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
    """The weights of a file in the natural order of their names: arr_2 comes before arr_10.

    From one of our own files, only the best epoch's. Raises ModelError no_weights, wrong_type or
    not_finite.
    """
    names = [name for name in arrays if name != FACTS]
    names = [name for name in names if name.startswith(BEST_PREFIX)] or names
    if not names:
        raise ModelError("no_weights", "This file has no weights.")
    weights = []
    for name in sorted(names, key=_by_number):
        array = arrays[name]
        if array.dtype.kind != "f":
            raise ModelError(
                "wrong_type",
                f"The array {name!r} holds {array.dtype} instead of floating-point numbers.",
            )
        with np.errstate(over="ignore"):  # numbers too large for float32 become infinite
            weights.append(np.asarray(array, np.float32))
        if not np.isfinite(weights[-1]).all():
            raise ModelError("not_finite", f"The array {name!r} has NaN or infinite values.")
    return weights


def check_fit(
    architecture: str,
    wanted: Sequence[tuple[str, tuple[int, ...]]],
    weights: Sequence[NDArray[np.float32]],
) -> None:
    """Raise ModelError wrong_shapes unless the weights fit a network.

    `wanted` are the names and shapes of the network's weights, in its order.
    """
    if len(wanted) != len(weights):
        raise ModelError(
            "wrong_shapes",
            f"{architecture} has {len(wanted)} arrays of weights; the file has {len(weights)}.",
        )
    pairs = enumerate(zip(wanted, weights, strict=True), start=1)
    wrong = [
        f"number {number} ({name}) must be {_shape(shape)} and is {_shape(array.shape)}"
        for number, ((name, shape), array) in pairs
        if shape != array.shape
    ]
    if wrong:
        more = f", and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise ModelError(
            "wrong_shapes",
            f"These weights don't fit {architecture}: {'; '.join(wrong[:SHOWN])}{more}.",
        )


def _progress(facts: dict[str, Any], arrays: dict[str, list[Any]]) -> Progress:
    return Progress(
        epochs=[Epoch(**epoch) for epoch in facts["epochs"]],
        seconds=facts["seconds"],
        steps=facts["steps"],
        best=arrays["best"],
        best_epoch=facts["best_epoch"],
    )


def _save(
    path: Path, config: TrainingConfig, progress: Progress, groups: dict[str, list[Any]]
) -> None:
    # Imported here to keep Keras out of the processes that only read.
    import keras

    arrays: dict[str, Any] = {
        f"{group}/{index:04d}": keras.ops.convert_to_numpy(value)
        for group, values in groups.items()
        for index, value in enumerate(values)
    }
    facts = {
        "config": config.to_dict(),
        "epochs": [asdict(epoch) for epoch in progress.epochs],
        "seconds": progress.seconds,
        "steps": progress.steps,
        "best_epoch": progress.best_epoch,
    }
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez(file, facts=np.array(json.dumps(facts)), **arrays)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)


def _load(path: Path) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            facts = json.loads(str(file["facts"]))
            arrays: dict[str, list[Any]] = {"model": [], "optimizer": [], "average": [], "best": []}
            for name in sorted(file.files):
                if name != "facts":
                    arrays[name.split("/")[0]].append(file[name])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise CheckpointError(f"{path.name} can't be read as a checkpoint: {error}.") from error
    return facts, arrays


def _assign(variables: list[Any], values: list[Any], path: Path) -> None:
    if [tuple(variable.shape) for variable in variables] != [value.shape for value in values]:
        raise CheckpointError(f"{path.name} doesn't fit this network.")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _by_number(name: str) -> list[tuple[int, str]]:
    return [
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)
    ]


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "a single number"
