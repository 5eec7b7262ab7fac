"""manage.py train: train a classifier in the foreground and export it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from training.core.checkpoint import Epoch, Progress, read_best
from training.core.config import TrainingConfig
from training.core.datasets import load_for
from training.core.faces import Faces
from training.core.fit import fit
from training.core.options import add_options, describe, read_config
from training.core.problems import CheckpointError, DatasetError
from training.core.release import CARD, INT8, MODEL, release


class Command(BaseCommand):
    help = (
        "Train a classifier on labelled faces. Run again, it goes on with a run that was stopped."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_options(parser)
        parser.add_argument(
            "--export",
            type=Path,
            metavar="FILE",
            help="train nothing; export the best epoch of this checkpoint.npz or best.npz",
        )
        parser.add_argument("--score", action="append", default=[], metavar="SPLIT")

    def handle(self, *args: Any, **options: Any) -> None:
        output, checkpoint = options["output"], options["export"]
        try:
            if checkpoint is not None:
                output = output or checkpoint.parent
                config, progress = read_best(checkpoint)
                faces = self._load(config, options)
            else:
                output = output or settings.DATA_DIR / "training" / options["preset"]
                config = read_config(options)
                faces = self._load(config, options)
                self.stdout.write(f"{len(faces)} faces; {config}")
                verbose = 1 if options["verbosity"] else 0
                progress = fit(
                    config,
                    faces,
                    output,
                    on_epoch=self._report,
                    verbose=verbose,
                    steps_at_once=options["steps_at_once"],
                )
            self._release(config, faces, progress, output, options["score"])
        except (DatasetError, CheckpointError, ValueError) as error:
            raise CommandError(str(error)) from error

    def _load(self, config: TrainingConfig, options: Any) -> Faces:
        cache = settings.DATA_DIR / "cache" / "datasets"
        return load_for(config, options["data"], cache, options["votes"], options["teachers"])

    def _release(
        self,
        config: TrainingConfig,
        faces: Faces,
        progress: Progress,
        output: Path,
        score: list[str],
    ) -> None:
        card = release(config, faces, progress, output, score)
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
        self.stdout.write(describe(epoch))
        self.stdout.flush()
