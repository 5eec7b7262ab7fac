"""manage.py train: train a classifier in the foreground, and export or register it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from recognition.models import ModelVersion
from recognition.registry import registry
from training.core.checkpoint import (
    CARD,
    CHECKPOINT,
    INT8,
    KERAS,
    MODEL,
    CheckpointError,
    Epoch,
    Progress,
    describe,
    is_lost,
    read_best,
    save_best,
)
from training.core.config import TrainingConfig, add_source
from training.core.data.classes import (
    DECIDE,
    UnknownClass,
    add_class_options,
    class_options,
)
from training.core.data.datasets import load_for
from training.core.data.faces import SPLITS, DatasetError, Faces
from training.core.duration import settled
from training.core.fit import fit
from training.core.release import release
from training.runs.launch import CHOICES, OPTIONS, PRESETS, LaunchRefused, read_config
from training.runs.messages import BEST

FLAGS = {name: f"--{name.replace('_', '-')}" for name in (*OPTIONS, *CHOICES)}
FLAGS["votes"] = "--votes-share"  # --votes is the file


class Command(BaseCommand):
    help = "Train a classifier on labeled faces. Running it again resumes an interrupted run."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_source(parser, PRESETS)
        add_class_options(parser)
        for name, option in OPTIONS.items():
            parser.add_argument(
                FLAGS[name], dest=f"choose_{name}", type=option.kind, help=option.title
            )
        for name, values in CHOICES.items():
            parser.add_argument(FLAGS[name], dest=f"choose_{name}", choices=values)
        parser.add_argument(
            "--export",
            type=Path,
            metavar="FILE",
            help="don't train; export the best epoch of this checkpoint.npz or best.npz",
        )
        parser.add_argument(
            "--score",
            action="append",
            default=[],
            choices=SPLITS,
            help="also evaluate on this split; repeat for more",
        )
        parser.add_argument(
            "--register",
            action="store_true",
            help="register it as a model version, evaluated on every test split",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        output, checkpoint, patience = options["output"], options["export"], None
        try:
            if checkpoint is not None:
                output = output or checkpoint.parent
                config, progress = read_best(checkpoint)
                faces = self._load(config, options)
            else:
                output = output or settings.DATA_DIR / "training" / options["preset"]
                changes = {name: options[f"choose_{name}"] for name in FLAGS}
                config, patience = read_config(options["preset"], changes)
                config = settled(config)
                faces = self._load(config, options)
                self.stdout.write(f"{len(faces)} faces; {config}")
                progress = self._fit(config, faces, output, patience, options)
            splits = options["score"]
            if options["register"]:
                splits = splits or [name for name in SPLITS[1:] if len(faces.rows(name))]
            card = self._release(config, faces, progress, output, splits, patience)
            if options["register"]:
                save_best(output / BEST, config, progress)
                self.stdout.write(f"Registered: {_register(output, card)}")
        except LaunchRefused as error:
            raise CommandError(error.message) from error
        except UnknownClass as error:
            raise CommandError(f"{error} {DECIDE}") from error
        except (DatasetError, CheckpointError, ValueError) as error:
            raise CommandError(str(error)) from error

    def _load(self, config: TrainingConfig, options: Any) -> Faces:
        cache = settings.DATA_DIR / "cache" / "datasets"
        faces = load_for(
            config,
            options["data"],
            cache,
            options["votes"],
            options["teachers"],
            class_options(options),
        )
        for split in options["score"]:
            faces.filled(split)
        return faces

    def _fit(
        self,
        config: TrainingConfig,
        faces: Faces,
        output: Path,
        patience: int | None,
        options: dict[str, Any],
    ) -> Progress:
        epochs: list[Epoch] = []
        if (output / CHECKPOINT).exists():
            epochs = read_best(output / CHECKPOINT)[1].epochs

        def report(epoch: Epoch) -> None:
            epochs.append(epoch)
            self.stdout.write(describe(epoch))
            self.stdout.flush()

        return fit(
            config,
            faces,
            output,
            on_epoch=report,
            should_stop=lambda: is_lost(patience, epochs),
            verbose=1 if options["verbosity"] else 0,
            steps_at_once=options["steps_at_once"],
        )

    def _release(
        self,
        config: TrainingConfig,
        faces: Faces,
        progress: Progress,
        output: Path,
        score: list[str],
        patience: int | None,
    ) -> dict[str, Any]:
        card = release(config, faces, progress, output, score, patience=patience)
        for name, figures in card["figures"].items():
            self.stdout.write(
                f"{name}: accuracy {figures['accuracy']:.4f}, mean recall "
                f"{figures['mean_recall']:.4f}, macro F1 {figures['macro_f1']:.4f}, calibration "
                f"error {figures['ece']:.4f}, {figures['ece_equal']:.4f} for equal shares"
            )
        int8 = card["int8"]
        self.stdout.write(
            f"int8 on validation: accuracy {int8['figures']['validation']['accuracy']:.4f}, "
            f"{int8['bytes']} bytes; " + ("kept" if int8["kept"] else "not kept: too inaccurate")
        )
        names = [MODEL, INT8, CARD] if int8["kept"] else [MODEL, CARD]
        self.stdout.write(f"Wrote {', '.join(str(output / name) for name in names)}.")
        return card


def _register(folder: Path, card: dict[str, Any]) -> ModelVersion:
    onnx, weights, keras = ((folder / name).read_bytes() for name in (MODEL, BEST, KERAS))
    int8 = (folder / INT8).read_bytes() if card["int8"]["kept"] else None
    return registry.register(onnx, card, int8=int8, weights=weights, keras=keras)
