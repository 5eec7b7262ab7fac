"""Checkpoints: everything a run needs to go on, in one file without executable content."""

import json
import os
import zipfile
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from .config import TrainingConfig
from .problems import CheckpointError


@dataclass
class Epoch:
    """The figures of one finished epoch; those on validation are of the averaged weights."""

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
    """Where a run stands: finished epochs, seconds spent on them, and the best epoch's weights."""

    epochs: list[Epoch] = field(default_factory=list)
    seconds: float = 0.0
    steps: int = 0
    best: list[NDArray[np.float32]] = field(default_factory=list)
    best_epoch: int = 0

    @property
    def best_accuracy(self) -> float:
        return self.epochs[self.best_epoch - 1].validation_accuracy if self.best_epoch else 0.0


def save(
    path: Path, config: TrainingConfig, model: keras.Model, average: list[Any], progress: Progress
) -> None:
    """Write the state after an epoch; a crash in the middle leaves the previous file whole."""
    groups = {
        "model": model.variables,
        "optimizer": model.optimizer.variables,
        "average": average,
        "best": progress.best,
    }
    _save(path, config, progress, groups)


def save_best(path: Path, config: TrainingConfig, progress: Progress) -> None:
    """Write what `read_best` needs and no more: a fifth of a whole checkpoint."""
    _save(path, config, progress, {"best": progress.best})


def restore(path: Path, config: TrainingConfig, model: keras.Model) -> tuple[list[Any], Progress]:
    """Put a compiled model and its optimizer where the run stopped; gives averages and progress.

    A checkpoint of another config is refused with CheckpointError.
    """
    facts, arrays = _load(path)
    if TrainingConfig.from_dict(facts["config"]) != config:
        raise CheckpointError(
            f"{path.name} is of a run with other settings; start in an empty folder."
        )
    model.optimizer.build(model.trainable_variables)
    _assign(model.variables, arrays["model"], path)
    _assign(model.optimizer.variables, arrays["optimizer"], path)
    return arrays["average"], _progress(facts, arrays)


def read_best(path: Path) -> tuple[TrainingConfig, Progress]:
    """The config and the progress of a checkpoint, the weights of the best epoch among it."""
    facts, arrays = _load(path)
    return TrainingConfig.from_dict(facts["config"]), _progress(facts, arrays)


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
        raise CheckpointError(f"{path.name} cannot be read as a checkpoint: {error}.") from error
    return facts, arrays


def _assign(variables: list[Any], values: list[Any], path: Path) -> None:
    if [tuple(variable.shape) for variable in variables] != [value.shape for value in values]:
        raise CheckpointError(f"{path.name} does not fit this network.")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
