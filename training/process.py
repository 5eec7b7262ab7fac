"""The training process: `python -m training.process FOLDER`, started by trainer.py.

The only process of Mien that imports TensorFlow. It reads FOLDER/job.json, trains, evaluates and
leaves the results in FOLDER, and says on its standard output, in lines of JSON (messages.py), how
it goes. It ends when its standard input ends: it never outlives the worker that started it.

With `--measure ARCHITECTURE` it only times some batches.
"""

import argparse
import fcntl
import hashlib
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from recognition.engine.align import SIDE
from recognition.engine.classifier import EmotionClassifier
from training.core import checkpoint
from training.core.checkpoint import Progress
from training.core.config import TrainingConfig
from training.core.datasets import load
from training.core.duration import cost, share_done
from training.core.examine import examine
from training.core.export import write_card
from training.core.faces import SPLITS, Faces, split_off
from training.core.fit import CHECKPOINT, compiled, fit
from training.core.inspection import encode_jpeg
from training.core.options import describe
from training.core.problems import CheckpointError, DatasetError
from training.core.release import CARD, MODEL, release
from training.core.targets import epoch_rows
from training.lifeline import Say, end_with_starter, speaker
from training.messages import BEST, EXAMINATION, JOB, TrainingJob

MEASURED_SECONDS = 5.0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training.process", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--measure", metavar="ARCHITECTURE")
    options = parser.parse_args(arguments)
    end_with_starter()
    say = speaker()
    if options.measure:
        faces_per_second = measure(TrainingConfig(architecture=options.measure))
        say({"type": "measured", "faces_per_second": faces_per_second})
        return 0
    with (options.folder / "lock").open("w") as lock:
        # The process of an earlier attempt may need a moment to notice that its worker is gone.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return carry_out(options.folder, say)


def carry_out(folder: Path, say: Say) -> int:
    """Train, or go on, and leave the results in the folder; gives the exit status."""
    job: TrainingJob = json.loads((folder / JOB).read_text())
    try:
        config = TrainingConfig.from_dict(job["config"])
        votes = Path(job["votes"]) if job["votes"] else None
        faces = load(Path(job["data"]), Path(job["cache"]), votes, framings=config.framed > 0)
        progress = train(config, faces, folder, job["patience"], say)
        checkpoint.save_best(folder / BEST, config, progress)
        evaluate(config, faces, progress, folder)
    except (DatasetError, CheckpointError, ValueError) as error:
        say({"type": "problem", "code": "cannot_train", "message": str(error)})
        return 1
    say({"type": "done"})
    return 0


def train(
    config: TrainingConfig, faces: Faces, folder: Path, patience: int | None, say: Say
) -> Progress:
    """Fit to the end of the schedule, or until `patience` epochs have brought nothing better."""
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


class Reporter:
    """Says after each batch and epoch where the run stands, and asks for an early stop."""

    EVERY = 1.0  # seconds between two messages about batches

    def __init__(
        self,
        config: TrainingConfig,
        faces: Faces,
        progress: Progress,
        patience: int | None,
        say: Say,
    ) -> None:
        training, _ = split_off(faces, faces.rows("Training"), config.validation, config.seed)
        rows = len(epoch_rows(faces, training, config))
        self.config, self.patience, self.say = config, patience, say
        self.batches = max(1, rows // config.batch_size)
        self.epochs = list(progress.epochs)
        self.seconds = progress.seconds
        self.began = time.monotonic()
        self.began_at_share = self.share(len(self.epochs))
        self.work = 0.0
        # `fit` asks once before each epoch, then after each of its batches.
        self.batch = -1
        self.told, self.told_batch = self.began, 0
        self.stop = self.has_lost_patience()
        self.tell_epochs()

    def after_batch(self) -> bool:
        """Fit's should_stop: counts the batch, tells about once a second."""
        self.batch += 1
        now = time.monotonic()
        if self.batch == 0:
            self.told = now
        elif now - self.told >= self.EVERY:
            self.tell_batch(now)
        return self.stop

    def on_epoch(self, epoch: checkpoint.Epoch) -> None:
        self.epochs.append(epoch)
        self.work += self.batches * self.config.batch_size * cost(self.config, epoch.side)
        print(describe(epoch), file=sys.stderr, flush=True)
        self.batch, self.told_batch = -1, 0
        self.stop = self.has_lost_patience()
        self.tell_epochs()

    def tell_epochs(self) -> None:
        self.say({"type": "epochs", "epochs": [asdict(epoch) for epoch in self.epochs]})

    def tell_batch(self, now: float) -> None:
        share = self.share(len(self.epochs) + self.batch / self.batches)
        done = share - self.began_at_share
        faces = (self.batch - self.told_batch) * self.config.batch_size
        self.say(
            {
                "type": "batch",
                "epoch": len(self.epochs) + 1,
                "batch": self.batch,
                "batches": self.batches,
                "share": round(share, 4),
                "faces_per_second": round(faces / (now - self.told), 1),
                "seconds_left": (
                    round((now - self.began) * (1 - share) / done, 1) if done > 0 else None
                ),
            }
        )
        self.told, self.told_batch = now, self.batch

    def share(self, epochs: float) -> float:
        """The share of the run's work that is done, or of its time where that is what it has."""
        if self.config.minutes is not None:
            seconds = self.seconds + time.monotonic() - self.began
            return min(1.0, seconds / (60 * self.config.minutes))
        return share_done(self.config, min(1.0, epochs / self.config.epochs))

    def has_lost_patience(self) -> bool:
        if not self.patience or not self.epochs:
            return False
        # The last of equals is the best, as in `fit`.
        best = max(self.epochs, key=lambda epoch: (epoch.validation_accuracy, epoch.number))
        return len(self.epochs) - best.number >= self.patience

    def speed(self) -> float | None:
        """Faces a second at 48 pixels over the epochs of this process; None without any."""
        seconds = self.epochs[-1].seconds - self.seconds if self.epochs else 0.0
        return round(self.work / seconds, 1) if self.work and seconds > 0 else None


def evaluate(config: TrainingConfig, faces: Faces, progress: Progress, folder: Path) -> None:
    """Export the best epoch, and examine it on the validation part and on every test split."""
    card = release(config, faces, progress, folder)
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
    card["code"] = code_digest()
    write_card(card, folder / CARD)
    (folder / EXAMINATION).write_text(json.dumps(mistakes))


def code_digest() -> str:
    """The version of the code that trained: a digest of all that decides what a run gives."""
    core = Path(__file__).parent / "core"
    digest = hashlib.sha256()
    for path in sorted(core.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def measure(config: TrainingConfig) -> float:
    """Faces a second that training on this machine goes through, at 48 pixels."""
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
