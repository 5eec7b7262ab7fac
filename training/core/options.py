"""What can be asked of a training on a command line, with Django or without."""

from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .checkpoint import Epoch
from .config import OPTIMIZERS, PRESETS, STARTS, TrainingConfig
from .schedules import SCHEDULES

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


def describe(epoch: Epoch) -> str:
    """A line about a finished epoch."""
    return (
        f"epoch {epoch.number}: {epoch.side} px, loss {epoch.loss:.4f}, "
        f"validation accuracy {epoch.validation_accuracy:.4f}, "
        f"macro F1 {epoch.validation_macro_f1:.4f}, {epoch.seconds:.0f} s in all"
    )
