"""What can be asked of a training on a command line, with Django or without."""

from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .checkpoint import Epoch
from .config import PRESETS, TrainingConfig

_CHOICES = ("architecture", "epochs", "minutes", "seed", "batch_size", "precision")


def add_options(parser: ArgumentParser) -> None:
    """Data, preset, and what can be changed about a preset."""
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="FER2013's CSV, a folder or zip of images, or a folder of contact sheets",
    )
    parser.add_argument("--votes", type=Path, help="FER+'s CSV; found by itself beside the data")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="balanced")
    parser.add_argument("--architecture", help="se_resnet, simple_cnn or mini_xception")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--minutes", type=float, help="fit the schedule into this time instead")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--precision", choices=("float32", "mixed_bfloat16"))
    parser.add_argument("--output", type=Path, help="folder for what the run writes")


def read_config(options: Mapping[str, Any]) -> TrainingConfig:
    """The preset with the given changes; ValueError where they cannot work."""
    given = {name: options[name] for name in _CHOICES if options[name] is not None}
    return replace(PRESETS[options["preset"]], **given)


def describe(epoch: Epoch) -> str:
    """A line about a finished epoch."""
    return (
        f"epoch {epoch.number}: {epoch.side} px, loss {epoch.loss:.4f}, "
        f"validation accuracy {epoch.validation_accuracy:.4f}, "
        f"macro F1 {epoch.validation_macro_f1:.4f}, {epoch.seconds:.0f} s in all"
    )
