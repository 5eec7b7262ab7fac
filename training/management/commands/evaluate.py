"""manage.py evaluate: metrics of a model on labeled faces; for a file, without a database."""

import json
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from recognition.engine.classifier import SHIPPED_MODEL, EmotionClassifier
from recognition.engine.errors import ModelError
from recognition.registry.version_files import read_onnx
from training.core.data.classes import (
    DECIDE,
    UnknownClass,
    add_class_options,
    class_options,
)
from training.core.data.datasets import load
from training.core.data.faces import SPLITS, VALIDATION, DatasetError, rows_of
from training.core.evaluate import Evaluation, measure_time, predict_all, score
from training.core.plots import draw_mistakes, plot_confusion, plot_reliability
from training.management.commands.models import find_version


class Command(BaseCommand):
    help = "Evaluate a model (default: the shipped file) on a split of a data set."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--data", type=Path, required=True, help="FER2013's CSV, a folder or a zip"
        )
        add_class_options(parser)
        parser.add_argument("--model", type=Path, default=SHIPPED_MODEL, help="an ONNX file")
        parser.add_argument(
            "--number", type=int, help="a registered model version instead of a file"
        )
        parser.add_argument(
            "--split",
            default="PublicTest",
            choices=(*SPLITS, VALIDATION, "all"),
            help="validation: the part of Training that the model's card names as held out",
        )
        parser.add_argument("--threads", type=int, default=1)
        parser.add_argument("--output", type=Path, help="folder for the pictures")
        parser.add_argument("--format", choices=("png", "svg"), default="png")
        parser.add_argument(
            "--mistakes",
            type=int,
            default=0,
            metavar="N",
            help="also draw the N most confident mistakes per class",
        )
        parser.add_argument("--json", action="store_true", help="print only JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            faces = load(
                options["data"],
                settings.DATA_DIR / "cache" / "datasets",
                classes=class_options(options),
            )
            name, model, card = _model(options["number"], options["model"])
            split = options["split"]
            rows = rows_of(split, faces, card() if split == VALIDATION else {})
            classifier = EmotionClassifier(model, options["threads"])
            images, labels = faces.images[rows], faces.labels[rows]
            answers = predict_all(classifier.predict, images, self._progress(len(rows)))
        except ModelError as error:
            raise CommandError(error.message) from error
        except UnknownClass as error:
            raise CommandError(f"{error} {DECIDE}") from error
        except (DatasetError, ValueError) as error:
            raise CommandError(str(error)) from error
        evaluation = score(answers, labels, measure_time(classifier.predict))
        output = options["output"] or settings.DATA_DIR / "evaluation"
        output.mkdir(parents=True, exist_ok=True)
        plots = {
            "confusion": output / f"confusion.{options['format']}",
            "reliability": output / f"reliability.{options['format']}",
        }
        plot_confusion(evaluation, plots["confusion"])
        plot_reliability(evaluation, plots["reliability"])
        if options["mistakes"] > 0:
            drawn = draw_mistakes(images, answers, labels, output, options["mistakes"])
            plots |= {path.stem: path for path in drawn}
        facts = {"model": name, "split": split, **evaluation.to_dict()}
        if options["json"]:
            facts["plots"] = {name: str(path) for name, path in plots.items()}
            self.stdout.write(json.dumps(facts))
        else:
            self.stdout.write(_table(evaluation))
            self.stdout.write(f"Pictures: {', '.join(str(path) for path in plots.values())}")

    def _progress(self, total: int) -> Any:
        def show(done: int) -> None:
            if self.stderr.isatty():
                bar = "#" * (40 * done // total)
                self.stderr.write(
                    f"\r[{bar:<40}] {done}/{total}", ending="\n" if done == total else ""
                )

        return show


Card = Callable[[], dict[str, Any]]


def _model(number: int | None, file: Path) -> tuple[str, Path | bytes, Card]:
    """Name, content and card of a registered version, or of a file."""
    if number is None:
        return str(file), file, lambda: _card_beside(file)
    version = find_version(number)
    return str(version), read_onnx(version), lambda: version.card


def _card_beside(model: Path) -> dict[str, Any]:
    # Variants share a card: expression.onnx and expression.int8.onnx have expression.json.
    card = model.with_name(model.name.split(".")[0] + ".json")
    if not card.is_file():
        raise DatasetError(f"{card.name} beside the model is needed to find its validation part.")
    return dict(json.loads(card.read_text()))


def _table(evaluation: Evaluation) -> str:
    lines = [
        f"{evaluation.faces} faces",
        f"accuracy           {evaluation.accuracy:.4f}",
        f"mean recall        {evaluation.mean_recall:.4f}",
        f"macro F1           {evaluation.macro_f1:.4f}",
        f"calibration error  {evaluation.ece:.4f}",
        f"  for equal shares {evaluation.ece_equal:.4f}",
        f"one face           {evaluation.milliseconds_per_face:.2f} ms",
        "",
        f"{'':10} precision  recall      F1  faces",
    ]
    for name, figures in evaluation.per_class.items():
        lines.append(
            f"{name:10} {figures.precision:9.3f} {figures.recall:7.3f} "
            f"{figures.f1:7.3f} {figures.support:6}"
        )
    return "\n".join(lines)
