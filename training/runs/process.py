"""The training process: `python -m training.process FOLDER`, started by trainer.py.

The only process of Mien that imports TensorFlow. It reads FOLDER/job.json, trains, evaluates and
leaves the results in FOLDER, and reports its progress as JSON lines on standard output
(messages.py). It ends when its standard input ends, so it never outlives its worker.

With `--measure ARCHITECTURE` it only times some batches.
"""

import argparse
import fcntl
import json
import sys
import time
from pathlib import Path

import numpy as np

from recognition.engine.align import SIDE
from recognition.engine.classifier import EmotionClassifier
from training.core import checkpoint
from training.core.checkpoint import CARD, CHECKPOINT, MODEL, CheckpointError, Progress
from training.core.config import TrainingConfig
from training.core.data.classes import ClassOptions
from training.core.data.datasets import load_for
from training.core.data.faces import SPLITS, DatasetError, Faces, split_off
from training.core.data.inspection import encode_jpeg
from training.core.duration import fastest
from training.core.evaluate import examine
from training.core.export import write_card
from training.core.fit import compiled, fit
from training.core.release import release
from training.runs.lifeline import Say, end_with_starter, speaker
from training.runs.messages import BEST, EXAMINATION, JOB, TrainingJob
from training.runs.reporter import Reporter

MEASURED_SECONDS = 5.0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training.process", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--measure", metavar="ARCHITECTURE")
    options = parser.parse_args(arguments)
    end_with_starter()
    say = speaker()
    if options.measure:
        faces_per_second = measure(
            TrainingConfig(architecture=options.measure, precision=fastest())
        )
        say({"type": "measured", "faces_per_second": faces_per_second})
        return 0
    with (options.folder / "lock").open("w") as lock:
        # An earlier attempt's process may need a moment to notice that its worker is gone.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return carry_out(options.folder, say)


def carry_out(folder: Path, say: Say) -> int:
    """Train or resume, and leave the results in the folder; returns the exit status."""
    job: TrainingJob = json.loads((folder / JOB).read_text())
    try:
        config = TrainingConfig.from_dict(job["config"])
        votes = Path(job["votes"]) if job["votes"] else None
        classes = ClassOptions(**job["classes"])
        faces = load_for(config, Path(job["data"]), Path(job["cache"]), votes, classes=classes)
        progress = train(config, faces, folder, job["patience"], say)
        checkpoint.save_best(folder / BEST, config, progress)
        evaluate(config, faces, progress, folder, job["patience"])
    except (DatasetError, CheckpointError, ValueError) as error:
        say({"type": "problem", "code": "cannot_train", "message": str(error)})
        return 1
    say({"type": "done"})
    return 0


def train(
    config: TrainingConfig, faces: Faces, folder: Path, patience: int | None, say: Say
) -> Progress:
    """Fit to the end of the schedule, or until `patience` epochs bring no improvement."""
    progress = Progress()
    if (folder / CHECKPOINT).exists():
        progress = checkpoint.read_best(folder / CHECKPOINT)[1]
        print(f"going on after epoch {len(progress.epochs)}", file=sys.stderr, flush=True)
    reporter = Reporter(config, faces, progress, patience, say)
    progress = fit(
        config, faces, folder, on_epoch=reporter.on_epoch, should_stop=reporter.after_batch
    )
    say({"type": "evaluating", "faces_per_second": reporter.speed()})
    return progress


def evaluate(
    config: TrainingConfig, faces: Faces, progress: Progress, folder: Path, patience: int | None
) -> None:
    """Export the best epoch, and evaluate it on the validation part and every test split."""
    card = release(config, faces, progress, folder, patience=patience, small=False)
    predict = EmotionClassifier(folder / MODEL).predict
    training = faces.rows("Training")
    parts = {"validation": split_off(faces, training, config.validation, config.seed)[1]}
    parts |= {name: rows for name in SPLITS[1:] if len(rows := faces.rows(name))}
    mistakes = {}
    for name, rows in parts.items():
        result = examine(predict, faces, rows)
        card["figures"][name] = result.figures
        mistakes[name] = result.mistakes
        if result.picture is not None:
            (folder / f"mistakes-{name}.jpg").write_bytes(encode_jpeg(result.picture))
    write_card(card, folder / CARD)
    (folder / EXAMINATION).write_text(json.dumps(mistakes))


def measure(config: TrainingConfig) -> float:
    """Training speed of this machine in faces per second at 48 pixels."""
    model = compiled(config)
    random = np.random.default_rng(0)
    faces = random.integers(0, 256, (config.batch_size, SIDE, SIDE, 1)).astype(np.float32)
    targets = np.eye(7, dtype=np.float32)[random.integers(0, 7, config.batch_size)]
    for _ in range(3):
        model.train_on_batch(faces, targets)
    started, batches = time.monotonic(), 0
    while time.monotonic() - started < MEASURED_SECONDS:
        model.train_on_batch(faces, targets)
        batches += 1
    return round(batches * config.batch_size / (time.monotonic() - started), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
