"""What a training run is asked to do: its options, presets, learning-rate schedules, and flags.

The config is saved in the checkpoint and in the model card. Web processes import this module, so it
needs nothing heavy.
"""

import math
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

ARCHITECTURES = ("se_resnet", "se_resnet_wide", "simple_cnn", "mini_xception")
"""The networks in architectures.py that people can choose."""

OPTIMIZERS = ("adamw", "sgd")
RANDOM = "random"
STARTS = {RANDOM: None, "first": "se_resnet"}
"""The weights a run can start from, and the architecture they belong to (None fits any)."""


def cosine(progress: float) -> float:
    """Half a cosine, from 1 down to almost 0 (Loshchilov & Hutter 2017, arXiv 1608.03983).

    It never reaches 0, because a run limited by time can finish its last epoch a little late.
    """
    return max(0.5 * (1 + math.cos(math.pi * progress)), 0.001)


def steps(progress: float) -> float:
    """Drop to a tenth halfway, and again at three quarters, as He et al. 2016 do."""
    return 1.0 if progress < 0.5 else 0.1 if progress < 0.75 else 0.01


def constant(progress: float) -> float:
    """Keep the peak."""
    return 1.0


SCHEDULES: dict[str, Callable[[float], float]] = {
    "cosine": cosine,
    "steps": steps,
    "constant": constant,
}
"""Each maps progress after the warm-up (0 to 1) to a factor of the peak learning rate."""


def learning_rate(schedule: str, peak: float, warmup: float, progress: float) -> float:
    """The learning rate at a point of the run (0 to 1): a linear warm-up, then the schedule."""
    if progress < warmup:
        return peak * max(progress / warmup, 0.01)
    return peak * SCHEDULES[schedule](min(1.0, (progress - warmup) / (1 - warmup)))


@dataclass(frozen=True)
class TrainingConfig:
    """Every choice that changes the result of a run, apart from the data and the machine.

    `stages` are (progress, side, augmentation): from that point of the run (0 to 1) on, faces are
    fed at that side in pixels and augmented with that strength (0 only mirrors them). Starting
    small takes a fraction of the time and teaches almost as much ("progressive resizing", e.g. Tan
    & Le 2021, EfficientNetV2, arXiv 2104.00298, section 4.2).
    """

    architecture: str = "se_resnet"
    start: str = RANDOM
    """One of `STARTS`: random weights, or the ones in first.npz (see `fit.starting_weights`)."""
    epochs: int = 56
    minutes: float | None = None
    """If set, the schedule follows the clock instead of the epochs and counts the time of earlier
    attempts too: a run on a busy machine still ends on time, with its learning rate annealed."""
    batch_size: int = 64
    seed: int = 7

    optimizer: str = "adamw"
    """adamw (Loshchilov & Hutter 2019, arXiv 1711.05101), or sgd with Nesterov's momentum of 0.9,
    which needs a learning rate of about 0.1 and a weight decay of about 0.005."""
    learning_rate: float = 1.5e-3
    """The peak."""
    warmup: float = 0.03
    """Share of the run over which the learning rate rises; after that it follows the schedule."""
    schedule: str = "cosine"
    """One of `SCHEDULES`."""
    weight_decay: float = 0.05
    """Decoupled: each step subtracts learning rate × this × the weight. Kernels only."""
    average: float = 0.998
    """Decay per step of the running average of the weights. The average is what is kept."""
    precision: str = "mixed_bfloat16"
    stages: tuple[tuple[float, int, float], ...] = (
        (0.0, 32, 0.75),
        (0.45, 40, 0.75),
        (0.7, 48, 0.6),
    )

    framed: float = 0.4
    """Share of the faces that are fed the way the engine frames them; the rest stay as they are."""
    faces: int | None = None
    """If set, train on this many faces only, drawn by the seed."""
    validation: float = 0.05
    """Share of the Training split that is held out for validation."""
    votes: float = 0.2
    """Share of the target that comes from FER+'s votes, for faces that have votes."""
    taught: float = 0.0
    """Share of the target that comes from the teachers' labels (see teach.py)."""
    smoothing: float = 0.05
    """Share of the target that is spread evenly over the classes."""
    mixed: float = 0.0
    """Blend faces in pairs, and their targets too (mixup: Zhang et al. 2018, arXiv 1710.09412).
    Each batch draws its share from Beta(mixed, mixed); 0 turns it off."""
    repeats: tuple[int, ...] = (1, 3, 1, 1, 1, 1, 1)
    """How often a face of each class appears in an epoch, in the order of EMOTIONS."""
    balance: float = 0.003
    """How much accuracy on the validation part it may cost to take the classes' shares out of the
    answers, for the sake of mean recall (`evaluate.calibrate`); 0 leaves them in."""

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError("epochs and batch_size must be at least 1")
        if self.faces is not None and self.faces < 1:
            raise ValueError("faces must be at least 1")
        if not 0 < self.validation < 0.5:
            raise ValueError("validation must be between 0 and 0.5")
        if not 0 <= self.framed <= 1:
            raise ValueError("framed must be between 0 and 1")
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer must be one of {', '.join(OPTIMIZERS)}")
        if self.start not in STARTS:
            raise ValueError(f"start must be one of {', '.join(STARTS)}")
        if STARTS[self.start] not in (None, self.architecture):
            raise ValueError(
                f"the weights {self.start!r} only fit {STARTS[self.start]}; any other architecture "
                f"must start from {RANDOM} ones"
            )
        if not 0 <= self.balance < 1:
            raise ValueError("balance must be between 0 and 1")
        if self.mixed < 0:
            raise ValueError("mixed must not be negative")
        if self.minutes is not None and self.minutes <= 0:
            raise ValueError("minutes must be above 0")
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule must be one of {', '.join(SCHEDULES)}")
        if not self.stages or self.stages[0][0] != 0:
            raise ValueError("stages must start at progress 0")
        if self.votes + self.taught + self.smoothing >= 1:
            raise ValueError("votes, taught and smoothing must add up to less than 1")

    def stage_at(self, progress: float) -> tuple[int, float]:
        """The side in pixels and the strength of the augmentation at this point of the run."""
        return max(stage for stage in self.stages if stage[0] <= progress)[1:]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TrainingConfig":
        """Read back what `to_dict` gave, also from JSON; ValueError for an unknown option."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ValueError(f"unknown training option: {', '.join(unknown)}")
        given = dict(values)
        if "stages" in given:
            given["stages"] = tuple(
                (float(start), int(side), float(strength))
                for start, side, strength in given["stages"]
            )
        if "repeats" in given:
            given["repeats"] = tuple(int(count) for count in given["repeats"])
        return cls(**given)


SHIPPED = replace(
    TrainingConfig(),
    start="first",
    epochs=45,
    batch_size=128,
    learning_rate=1e-3,
    average=0.999,
    weight_decay=0.1,
    stages=((0.0, 48, 1.0), (0.7, 48, 0.6)),
    framed=0.3,
    votes=0.0,
    taught=0.7,
    smoothing=0.0,
)

TEACHERS: dict[str, TrainingConfig] = {
    "teacher": replace(
        TrainingConfig(),
        architecture="se_resnet_wide",
        epochs=80,
        batch_size=128,
        framed=0.0,
        stages=((0.0, 48, 1.0), (0.75, 48, 0.8)),
    ),
}
"""Presets of the networks whose answers become labels (see teach.py)."""

PRESETS: dict[str, TrainingConfig] = {
    # A first look: one minute on two cores, evaluation included. A small network takes many small
    # steps in epochs short enough to watch it learn; a larger one would hardly get started.
    "quick": replace(
        TrainingConfig(),
        architecture="mini_xception",
        minutes=0.75,
        batch_size=16,
        learning_rate=4e-3,
        average=0.8,
        stages=((0.0, 48, 0.4),),
        framed=0.0,
        faces=3000,
        repeats=(1, 1, 1, 1, 1, 1, 1),
    ),
    "balanced": replace(TrainingConfig(), epochs=16, framed=0.0),
    "shipped": SHIPPED,
}


_CHOICES = (
    *("architecture", "epochs", "minutes", "seed", "batch_size", "learning_rate", "precision"),
    *("schedule", "taught", "framed", "optimizer", "weight_decay", "mixed", "start", "balance"),
)


def add_options(parser: ArgumentParser, presets: Mapping[str, TrainingConfig] = PRESETS) -> None:
    """Add flags for the data, the preset, and every option of a preset that can be changed."""
    add_source(parser, presets)
    parser.add_argument("--architecture", help="se_resnet, simple_cnn or mini_xception")
    parser.add_argument("--start", choices=STARTS, help="the weights to start from")
    parser.add_argument("--epochs", type=int)
    parser.add_argument(
        "--minutes", type=float, help="train for this long instead of a number of epochs"
    )
    parser.add_argument("--seed", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--schedule", choices=sorted(SCHEDULES), help="how the learning rate falls")
    parser.add_argument("--optimizer", choices=OPTIMIZERS)
    parser.add_argument("--weight-decay", type=float)
    parser.add_argument("--mixed", type=float, help="blend faces in pairs (mixup); 0.2 is usual")
    parser.add_argument(
        "--framed", type=float, help="share of faces framed the way the engine does"
    )
    parser.add_argument("--taught", type=float, help="share of the target that comes from teachers")
    parser.add_argument("--precision", choices=("float32", "mixed_bfloat16"))
    parser.add_argument(
        "--balance",
        type=float,
        help="accuracy that balanced answers may cost on the validation part; 0 turns them off",
    )


def add_source(parser: ArgumentParser, presets: Mapping[str, TrainingConfig]) -> None:
    """Add flags for what to train on, with which preset, and where to write."""
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="FER2013's CSV, a folder or zip of images, or a folder of contact sheets",
    )
    parser.add_argument(
        "--votes", type=Path, help="FER+'s CSV; found automatically if it is beside the data"
    )
    default = "balanced" if "balanced" in presets else next(iter(presets))
    parser.add_argument("--preset", choices=sorted(presets), default=default)
    parser.add_argument(
        "--teachers", type=Path, metavar="FILE", help="teachers' labels, if not the shipped ones"
    )
    parser.add_argument(
        "--steps-at-once",
        type=int,
        default=1,
        help="try 16 on a fast GPU, which would otherwise wait for Python after every step",
    )
    parser.add_argument("--output", type=Path, help="folder for the results")


def read_config(
    options: Mapping[str, Any], presets: Mapping[str, TrainingConfig] = PRESETS
) -> TrainingConfig:
    """The preset with the changes from the command line; ValueError if they can't work.

    A number of epochs replaces the preset's time limit.
    """
    given = {name: options[name] for name in _CHOICES if options[name] is not None}
    if "epochs" in given:
        given.setdefault("minutes", None)
    return replace(presets[options["preset"]], **given)
