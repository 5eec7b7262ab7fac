"""Requesting, canceling, resuming and repeating a training; its estimated duration."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import transaction
from redis.exceptions import RedisError

from recognition.engine.emotions import EMOTIONS
from recognition.engine.errors import CodedError
from recognition.jobs import work
from recognition.jobs.lease import Status
from training import files
from training.core.config import ARCHITECTURES, OPTIMIZERS, SCHEDULES, STARTS, TrainingConfig
from training.core.config import PRESETS as CORE_PRESETS
from training.core.duration import AUTO, evaluation_seconds, training_seconds
from training.models import Dataset, Speed, TrainingRun
from training.runs import events, runs, tasks

PRESETS: dict[str, TrainingConfig] = {
    name: replace(config, precision=AUTO) for name, config in CORE_PRESETS.items()
}


FEWEST_FACES = 50
FEWEST_HELD_OUT = 5
START_SECONDS = 15  # loading TensorFlow and the data, and the export at the end


class LaunchRefused(CodedError):
    """A training that can't be started as requested."""


@dataclass(frozen=True)
class Option:
    """An option and its range, inclusive."""

    kind: type
    lowest: float
    highest: float
    title: str


OPTIONS: dict[str, Option] = {
    "epochs": Option(int, 1, 500, "Epochs"),
    "minutes": Option(float, 0.1, 7 * 24 * 60, "Minutes"),
    "batch_size": Option(int, 8, 1024, "Batch size"),
    "learning_rate": Option(float, 1e-6, 0.5, "Learning rate"),
    "warmup": Option(float, 0, 0.5, "Warmup (share of the run)"),
    "weight_decay": Option(float, 0, 1, "Weight decay"),
    "augmentation": Option(float, 0, 1.5, "Augmentation strength"),
    "seed": Option(int, 0, 2**31 - 1, "Seed"),
    "smoothing": Option(float, 0, 0.5, "Label smoothing"),
    "votes": Option(float, 0, 0.9, "Weight of the FER+ votes"),
    "taught": Option(float, 0, 0.9, "Weight of the teachers' labels"),
    "mixed": Option(float, 0, 5, "Mixup alpha"),
    "framed": Option(float, 0, 1, "Share of faces framed like the detector"),
    "balance": Option(float, 0, 0.1, "Accuracy that balanced answers may cost"),
    "faces": Option(int, FEWEST_FACES, 10_000_000, "Maximum number of training faces"),
    "validation": Option(float, 0.01, 0.45, "Validation share"),
    "patience": Option(int, 1, 500, "Early stopping patience (epochs)"),
}


CHOICES: dict[str, tuple[str, ...]] = {
    "architecture": ARCHITECTURES,
    "start": tuple(STARTS),
    "optimizer": OPTIMIZERS,
    "schedule": tuple(SCHEDULES),
    "precision": (AUTO, "float32", "mixed_bfloat16"),
}


def read_config(preset: str, changes: Mapping[str, Any]) -> tuple[TrainingConfig, int | None]:
    """The preset with the changes, and the patience. Raises LaunchRefused.

    `augmentation` multiplies the strength of the preset's stages. Setting epochs replaces the
    preset's limit in minutes. Empty values are ignored.
    """
    if preset not in PRESETS:
        raise LaunchRefused(
            "unknown_preset", f"There is no preset {preset!r}; use {', '.join(PRESETS)}.", "preset"
        )
    given = {name: value for name, value in changes.items() if value not in (None, "")}
    values: dict[str, Any] = {
        name: _number(name, given.pop(name)) for name in OPTIONS if name in given
    }
    for name, known in CHOICES.items():
        if name in given:
            values[name] = given.pop(name)
            if values[name] not in known:
                raise LaunchRefused(
                    "unknown_value", f"{values[name]!r} is none of {', '.join(known)}.", name
                )
    if given:
        name = sorted(given)[0]
        raise LaunchRefused("unknown_option", f"There is no option {name!r}.", name)
    patience = values.pop("patience", None)
    strength = values.pop("augmentation", 1.0)
    values["stages"] = tuple(
        (begin, side, each * strength) for begin, side, each in PRESETS[preset].stages
    )
    if "epochs" in values:
        values.setdefault("minutes", None)
    try:
        return replace(PRESETS[preset], **values), patience
    except ValueError as error:
        raise LaunchRefused(
            "invalid_options", f"These options don't work together: {error}."
        ) from error


def _number(name: str, value: Any) -> int | float:
    option = OPTIONS[name]
    try:
        number = option.kind(value)
        if isinstance(value, bool) or (isinstance(value, float) and number != value):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        kind = "a whole number" if option.kind is int else "a number"
        raise LaunchRefused("not_a_number", f"{option.title}: {kind} is needed.", name) from None
    if not option.lowest <= number <= option.highest:  # also fails for NaN
        raise LaunchRefused(
            "out_of_range",
            f"{option.title}: from {option.lowest:g} to {option.highest:g}.",
            name,
        )
    return number


def start(
    user: User, dataset: Dataset, preset: str, changes: Mapping[str, Any], note: str = ""
) -> TrainingRun:
    """Queue a training. Raises LaunchRefused before storing anything."""
    config, patience = read_config(preset, changes)
    check_dataset(dataset, config)
    run = TrainingRun(preset=preset, patience=patience, note=note[:200], created_by=user)
    return _queue(run, dataset, config)


def check_dataset(dataset: Dataset, config: TrainingConfig) -> None:
    """Raise LaunchRefused unless this data set can be trained on with this config."""
    if dataset.status != Status.SUCCEEDED:
        raise LaunchRefused(
            "unchecked_data",
            "The data set must be checked first."
            if not dataset.is_finished
            else "The data set can't be used: its check found problems.",
            "dataset",
        )
    counts = dataset.report["counts"].get("Training", {})
    faces = sum(counts.values())
    if faces < FEWEST_FACES or sum(count > 0 for count in counts.values()) < 2:
        raise LaunchRefused(
            "too_few_faces",
            f"At least {FEWEST_FACES} training faces of two classes are needed; there are {faces}.",
            "dataset",
        )
    if round(faces * config.validation) < FEWEST_HELD_OUT:
        raise LaunchRefused(
            "too_few_held_out",
            f"Of {faces} faces, a share of {config.validation:g} holds out fewer than "
            f"{FEWEST_HELD_OUT} for validation: make the share larger.",
            "validation",
        )
    if (trained := trained_faces(faces, config)) < config.batch_size:
        raise LaunchRefused(
            "batch_too_large",
            f"There are only {trained} faces to train on: choose a smaller batch.",
            "batch_size",
        )


def trained_faces(faces: int, config: TrainingConfig) -> int:
    """How many of a data set's faces are used for training."""
    left = int(faces * (1 - config.validation))
    return left if config.faces is None else min(left, config.faces)


def estimate(dataset: Dataset, config: TrainingConfig) -> float | None:
    """Estimated seconds for a run on the training machine; None while its speed is unknown.

    The speed is that of the last run of the same network. Before the first, a worker measures it:
    try again in half a minute.
    """
    speed = Speed.objects.filter(architecture=config.architecture).first()
    if speed is None:
        ask_measurement(config.architecture)
        if config.minutes is None:
            return None
    counts = dataset.report["counts"]
    # Sorted: not every database keeps the order of JSON objects.
    training = counts.get("Training", {})
    rows = sum(
        training.get(emotion, 0) * times
        for emotion, times in zip(EMOTIONS, config.repeats, strict=True)
    )
    faces_per_second = speed.faces_per_second if speed else 1.0
    labeled = sum(training.values())
    rows *= trained_faces(labeled, config) / labeled
    seconds = training_seconds(config, int(rows), faces_per_second)
    tested = sum(sum(split.values()) for name, split in counts.items() if name != "Training")
    seconds += evaluation_seconds(config, labeled, tested)
    return round(START_SECONDS + seconds, 1)


def ask_measurement(architecture: str) -> None:
    """Ask a worker to time a network, unless one was asked recently or Redis is down."""
    with contextlib.suppress(RedisError):
        if cache.add(f"measure-speed-{architecture}", True, timeout=300):
            tasks.enqueue_measurement(architecture)


def retry(user: User, run: TrainingRun) -> TrainingRun:
    """Queue a new run with the options of an old one. Raises LaunchRefused."""
    config = TrainingConfig.from_dict(run.config)
    check_dataset(run.dataset, config)
    again = TrainingRun(preset=run.preset, patience=run.patience, note=run.note, created_by=user)
    return _queue(again, run.dataset, config)


def _queue(run: TrainingRun, dataset: Dataset, config: TrainingConfig) -> TrainingRun:
    run.dataset, run.config = dataset, config.to_dict()
    run.estimated_seconds = estimate(dataset, config)
    with transaction.atomic():
        run.save(force_insert=True)
        work.submit(run)
    return run


def remove(run: TrainingRun) -> None:
    """Delete an ended run and its checkpoint. Raises LaunchRefused before it has ended."""
    ended = [Status.SUCCEEDED, Status.FAILED, Status.CANCELED]
    folder, pk = runs.folder_of(run), str(run.pk)
    if not TrainingRun.objects.filter(pk=pk, status__in=ended).delete()[0]:
        raise LaunchRefused("not_ended", "Cancel the training before you delete it.")
    files.delete(folder)
    events.publish_run_deletion(pk)
