"""manage.py train: train a classifier in the foreground and export it."""

from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from training.core.checkpoint import Epoch
from training.core.config import PRESETS, TrainingConfig
from training.core.datasets import load
from training.core.fit import fit
from training.core.problems import CheckpointError, DatasetError
from training.core.release import CARD, INT8, MODEL, release

_OPTIONS = ("architecture", "epochs", "minutes", "seed", "batch_size", "precision")


class Command(BaseCommand):
    help = (
        "Train a classifier on labelled faces. Run again, it goes on with a run that was stopped."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--data", type=Path, required=True, help="FER2013's CSV, a folder or a zip"
        )
        parser.add_argument(
            "--votes", type=Path, help="FER+'s CSV; found by itself beside the data"
        )
        parser.add_argument("--preset", choices=sorted(PRESETS), default="balanced")
        parser.add_argument("--architecture", help="se_resnet, simple_cnn or mini_xception")
        parser.add_argument("--epochs", type=int)
        parser.add_argument("--minutes", type=float, help="fit the schedule into this time instead")
        parser.add_argument("--seed", type=int)
        parser.add_argument("--batch-size", type=int)
        parser.add_argument("--precision", choices=("float32", "mixed_bfloat16"))
        parser.add_argument("--output", type=Path, help="folder for checkpoint and model")
        parser.add_argument("--score", action="append", default=[], metavar="SPLIT")

    def handle(self, *args: Any, **options: Any) -> None:
        given = {name: options[name] for name in _OPTIONS if options[name] is not None}
        output = options["output"] or settings.DATA_DIR / "training" / options["preset"]
        try:
            config = replace(PRESETS[options["preset"]], **given)
            faces = load(
                options["data"],
                settings.DATA_DIR / "cache" / "datasets",
                options["votes"],
                framings=config.framed > 0,
            )
            self._train(config, faces, output, options)
        except (DatasetError, CheckpointError, ValueError) as error:
            raise CommandError(str(error)) from error

    def _train(self, config: TrainingConfig, faces: Any, output: Path, options: Any) -> None:
        self.stdout.write(f"{len(faces)} faces; {config}")
        verbose = 1 if options["verbosity"] else 0
        progress = fit(config, faces, output, on_epoch=self._report, verbose=verbose)
        card = release(config, faces, progress, output, options["score"])
        for name, figures in card["figures"].items():
            self.stdout.write(
                f"{name}: accuracy {figures['accuracy']:.4f}, macro F1 {figures['macro_f1']:.4f}, "
                f"calibration error {figures['ece']:.4f}"
            )
        int8 = card["int8"]
        self.stdout.write(
            f"int8 on validation: accuracy {int8['figures']['validation']['accuracy']:.4f}, "
            f"{int8['bytes']} bytes; " + ("kept" if int8["kept"] else "not kept: it costs too much")
        )
        names = [MODEL, INT8, CARD] if int8["kept"] else [MODEL, CARD]
        self.stdout.write(f"Wrote {', '.join(str(output / name) for name in names)}.")

    def _report(self, epoch: Epoch) -> None:
        self.stdout.write(
            f"epoch {epoch.number}: {epoch.side} px, loss {epoch.loss:.4f}, "
            f"validation accuracy {epoch.validation_accuracy:.4f}, "
            f"macro F1 {epoch.validation_macro_f1:.4f}, {epoch.seconds:.0f} s in all"
        )
        self.stdout.flush()
