"""The whole way from a data set to a model, step by step, without Django.

    python -m training.core --preset quick --data fer2013.csv.gz
    KERAS_BACKEND=torch python -m training.core --preset shipped --data FOLDER --output OUTPUT

README.md in this folder explains each step. Run again, it resumes a run that was stopped. It writes
OUTPUT/checkpoint.npz after each epoch, OUTPUT/best.npz at the end and, if Keras runs on TensorFlow
and tf2onnx is installed, the model as OUTPUT/expression.onnx. Elsewhere, say on a GPU machine with
JAX or PyTorch, it stops at best.npz.

    python -m training.core --data fer2013.csv.gz --sheets FOLDER

packs the data into a folder that is quick to copy to such a machine.
"""

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from recognition.engine.emotions import EMOTIONS

from .checkpoint import BEST, MODEL, CheckpointError, describe, save_best
from .config import TrainingConfig, add_options, read_config
from .data.datasets import load, load_for
from .data.faces import SPLITS, DatasetError, Faces, split_off
from .data.sheets import write_sheets
from .data.targets import epoch_rows, soft_targets
from .evaluate import evaluate, softmax

STEPS = ("Read", "Split", "Targets", "Augment", "Fit", "Evaluate", "Release")
"""What the walk goes through, as in README.md."""


def main(arguments: list[str] | None = None) -> int:
    """Train, or write contact sheets; gives the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m training.core",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(parser)
    parser.add_argument("--sheets", type=Path, help="only write the data there, as contact sheets")
    parser.add_argument("--cache", type=Path, default=Path("var/cache/datasets"))
    options = parser.parse_args(arguments)
    try:
        config = read_config(vars(options))
        if options.sheets is not None:
            faces = load(options.data, options.cache, options.votes, framings=True)
            write_sheets(faces, options.sheets)
            return 0
        _tell("Read", f"{options.data}; only the first time takes long")
        faces = load_for(config, options.data, options.cache, options.votes, options.teachers)
        output = options.output or Path("var/training") / options.preset
        walk(config, faces, output, options.steps_at_once)
    except (DatasetError, CheckpointError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def walk(config: TrainingConfig, faces: Faces, output: Path, steps_at_once: int = 1) -> None:
    """Take the steps of README.md after the first, and say at each what happens."""
    # Imported here because helper processes import this module again and must not load Keras.
    import keras

    from .fit import fit, predict_logits, trained

    print(f"{len(faces)} faces; {config}", flush=True)

    training, held_out = split_off(faces, faces.rows("Training"), config.validation, config.seed)
    tests = " and ".join(f"{name} ({len(faces.rows(name))})" for name in SPLITS[1:])
    _tell("Split", f"{len(training)} to train on, {len(held_out)} held out; not used: {tests}")

    rows = epoch_rows(faces, training, config)
    target = soft_targets(faces, rows[:1], config)[0]
    top = np.argsort(-target)[:3]
    shares = ", ".join(f"{EMOTIONS[label]} {target[label]:.2f}" for label in top)
    first = EMOTIONS[faces.labels[rows[0]]]
    _tell("Targets", f"{len(rows)} faces an epoch; the first, labeled {first}, has {shares}")

    stages = ", then ".join(f"{side} px at strength {by:g}" for _, side, by in config.stages)
    framed = f"; {config.framed:.0%} framed the way the engine does" if config.framed else ""
    _tell("Augment", stages + framed)

    _tell("Fit", f"{config.architecture} from {config.start} weights, in {output}")
    progress = fit(
        config,
        faces,
        output,
        parts=(training, held_out),
        on_epoch=lambda epoch: print(describe(epoch), flush=True),
        steps_at_once=steps_at_once,
    )
    save_best(output / BEST, config, progress)
    print(f"best epoch {progress.best_epoch}: {progress.best_accuracy:.4f}; wrote {output / BEST}")

    model = trained(config.architecture, progress.best)
    evaluation = evaluate(
        lambda images: softmax(predict_logits(model, images)),
        faces.images[held_out],
        faces.labels[held_out],
    )
    _tell(
        "Evaluate",
        f"validation accuracy {evaluation.accuracy:.4f}, mean recall "
        f"{evaluation.mean_recall:.4f}, macro F1 {evaluation.macro_f1:.4f}, "
        f"calibration error {evaluation.ece:.4f}",
    )

    if keras.backend.backend() != "tensorflow" or not find_spec("tf2onnx"):
        _tell(
            "Release",
            "skipped, because it needs Keras on TensorFlow, and tf2onnx. Make the ONNX model where "
            f"you have them: manage.py train --data DATA --export {BEST}",
        )
        return
    # Imported here because only some machines have what it imports.
    from .release import release

    card = release(config, faces, progress, output)
    _tell(
        "Release",
        f"class shares taken out with strength {card['class_prior']['strength']}; "
        f"temperature {card['temperature']} brings the calibration error to "
        f"{card['figures']['validation']['ece']:.4f}; wrote {output / MODEL}",
    )


def _tell(step: str, text: str) -> None:
    print(f"{STEPS.index(step) + 1}. {step}: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
