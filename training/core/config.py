"""What a training run is asked to do; saved in the checkpoint and in the model's card."""

import math
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

ARCHITECTURES = ("se_resnet", "se_resnet_wide", "simple_cnn", "mini_xception")
"""Those of architectures.py that are offered to people."""

OPTIMIZERS = ("adamw", "sgd")
RANDOM = "random"
STARTS = {RANDOM: None, "first": "se_resnet"}
"""What a run may begin with, see `start`, and the network that these weights are of."""


def cosine(progress: float) -> float:
    """Half a cosine down (Loshchilov & Hutter 2017, arXiv 1608.03983).

    Never quite zero: where the clock rules, the last epoch may end a little late.
    """
    return max(0.5 * (1 + math.cos(math.pi * progress)), 0.001)


def steps(progress: float) -> float:
    """A tenth after half of the run, and again after three quarters (as He et al. 2016 do)."""
    return 1.0 if progress < 0.5 else 0.1 if progress < 0.75 else 0.01


def constant(progress: float) -> float:
    """The same all along."""
    return 1.0


SCHEDULES: dict[str, Callable[[float], float]] = {
    "cosine": cosine,
    "steps": steps,
    "constant": constant,
}
"""From the share of the run after the warm-up that is done, 0 to 1, to a share of the peak."""


def learning_rate(schedule: str, peak: float, warmup: float, progress: float) -> float:
    """The learning rate at a share of the run, 0 to 1: a line up, then the schedule."""
    if progress < warmup:
        return peak * max(progress / warmup, 0.01)
    return peak * SCHEDULES[schedule](min(1.0, (progress - warmup) / (1 - warmup)))


@dataclass(frozen=True)
class TrainingConfig:
    """Every choice that changes what a run gives; the data and the machine aside.

    `stages` are (progress, side, augmentation): from that share of the run on (0 to 1), frames are
    fed at that side in pixels and varied with that strength (at 0 they are only mirrored). Small
    frames first cost a fraction of the time and teach most of the same ("progressive resizing",
    e.g. Tan & Le 2021, EfficientNetV2, arXiv 2104.00298, section 4.2).
    """

    architecture: str = "se_resnet"
    start: str = RANDOM
    """The weights to begin with, see `start`."""
    epochs: int = 56
    minutes: float | None = None
    """Where set, the schedule follows the clock (time of earlier attempts included) instead of the
    epochs, so that a run on a busy machine still ends in time with a fully annealed model."""
    batch_size: int = 64
    seed: int = 7

    optimizer: str = "adamw"
    """adamw (Loshchilov & Hutter 2019, arXiv 1711.05101), or sgd with Nesterov's momentum of 0.9,
    which wants a learning rate of about 0.1 and a weight decay of about 0.005."""
    learning_rate: float = 1.5e-3
    """The peak."""
    warmup: float = 0.03
    """Share of the run over which the learning rate rises; then it goes by the schedule."""
    schedule: str = "cosine"
    """One of `SCHEDULES`: cosine, steps or constant."""
    weight_decay: float = 0.05
    """Decoupled: a step takes away learning rate × this × the weight, of kernels only."""
    average: float = 0.998
    """Decay per step of the running average of the weights; the average is what is kept."""
    precision: str = "mixed_bfloat16"
    stages: tuple[tuple[float, int, float], ...] = (
        (0.0, 32, 0.75),
        (0.45, 40, 0.75),
        (0.7, 48, 0.6),
    )

    framed: float = 0.4
    """Share of the faces that are fed as the engine's detector frames them, the others as they
    are."""

    faces: int | None = None
    """Where set, this many of the faces are trained on, drawn by the seed; the others are not."""
    validation: float = 0.05
    """Share of the training split that is held out to choose by."""
    votes: float = 0.2
    """Share of the target that the taggers' votes make up, where there are votes."""
    taught: float = 0.0
    """Share of the target that teachers and taggers together make up (see `teach`)."""
    smoothing: float = 0.05
    """Share of the target that is spread evenly."""
    mixed: float = 0.0
    """Faces are blended in pairs, and so are their targets (mixup: Zhang et al. 2018, arXiv
    1710.09412); the share is drawn anew for each batch from Beta(mixed, mixed). 0: they are not."""
    repeats: tuple[int, ...] = (1, 3, 1, 1, 1, 1, 1)
    """How often a row of each class appears in an epoch, in the order of the labels."""

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError("epochs and batch_size must be at least 1")
        if self.faces is not None and self.faces < 1:
            raise ValueError("faces must be at least 1")
        if not 0 < self.validation < 0.5:
            raise ValueError("validation must lie between 0 and 0.5")
        if not 0 <= self.framed <= 1:
            raise ValueError("framed must lie between 0 and 1")
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer must be one of {', '.join(OPTIMIZERS)}")
        if self.start not in STARTS:
            raise ValueError(f"start must be one of {', '.join(STARTS)}")
        if STARTS[self.start] not in (None, self.architecture):
            raise ValueError(
                f"the weights to begin with are of {STARTS[self.start]}: another architecture has "
                f"to begin with {RANDOM} ones"
            )
        if self.mixed < 0:
            raise ValueError("mixed must not be negative")
        if self.minutes is not None and self.minutes <= 0:
            raise ValueError("minutes must be above 0")
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule must be one of {', '.join(SCHEDULES)}")
        if not self.stages or self.stages[0][0] != 0:
            raise ValueError("stages must begin at progress 0")
        if self.votes + self.taught + self.smoothing >= 1:
            raise ValueError("votes, taught and smoothing together must stay below 1")

    def stage_at(self, progress: float) -> tuple[int, float]:
        """The side in pixels and the augmentation's strength at this share of the run."""
        return max(stage for stage in self.stages if stage[0] <= progress)[1:]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TrainingConfig":
        """The config of `to_dict`, read back from JSON; an unknown name is a ValueError."""
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
"""Presets of the networks that label for others, see `teach`."""

PRESETS: dict[str, TrainingConfig] = {
    # A look that takes a minute, its evaluation included, on a processor with two cores: a small
    # network in many small steps, and in epochs that are short enough to see it learn. The larger
    # ones have hardly begun to learn by then.
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
    *("schedule", "taught", "framed", "optimizer", "weight_decay", "mixed", "start"),
)


def add_options(parser: ArgumentParser, presets: Mapping[str, TrainingConfig] = PRESETS) -> None:
    """Data, preset, and what can be changed about a preset."""
    add_source(parser, presets)
    parser.add_argument("--architecture", help="se_resnet, simple_cnn or mini_xception")
    parser.add_argument("--start", choices=STARTS, help="the weights to begin with")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--minutes", type=float, help="fit the schedule into this time instead")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--schedule", choices=sorted(SCHEDULES), help="of the learning rate")
    parser.add_argument("--optimizer", choices=OPTIMIZERS)
    parser.add_argument("--weight-decay", type=float)
    parser.add_argument("--mixed", type=float, help="blend faces in pairs; 0.2 is usual")
    parser.add_argument("--framed", type=float, help="share of faces framed as the engine does")
    parser.add_argument("--taught", type=float, help="share of the teachers' labels")
    parser.add_argument("--precision", choices=("float32", "mixed_bfloat16"))


def add_source(parser: ArgumentParser, presets: Mapping[str, TrainingConfig]) -> None:
    """What to train on, by which preset, and where to."""
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="FER2013's CSV, a folder or zip of images, or a folder of contact sheets",
    )
    parser.add_argument("--votes", type=Path, help="FER+'s CSV; found by itself beside the data")
    default = "balanced" if "balanced" in presets else next(iter(presets))
    parser.add_argument("--preset", choices=sorted(presets), default=default)
    parser.add_argument(
        "--teachers", type=Path, metavar="FILE", help="their labels, where not those shipped"
    )
    parser.add_argument(
        "--steps-at-once",
        type=int,
        default=1,
        help="on a fast accelerator, say, 16: it is not made to wait for Python after each step",
    )
    parser.add_argument("--output", type=Path, help="folder for what the run writes")


def read_config(
    options: Mapping[str, Any], presets: Mapping[str, TrainingConfig] = PRESETS
) -> TrainingConfig:
    """The preset with the given changes; ValueError where they cannot work.

    Epochs that are asked for take the place of the preset's limit in minutes.
    """
    given = {name: options[name] for name in _CHOICES if options[name] is not None}
    if "epochs" in given:
        given.setdefault("minutes", None)
    return replace(presets[options["preset"]], **given)
