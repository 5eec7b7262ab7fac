"""Reports a training's progress after batches and epochs, and stops it early."""

import sys
import time
from dataclasses import asdict

from training.core.checkpoint import Epoch, Progress, is_lost
from training.core.config import TrainingConfig
from training.core.data.faces import Faces, split_off
from training.core.data.targets import epoch_rows
from training.core.duration import cost, share_done
from training.runs.lifeline import Say


class Reporter:
    """Reports progress after each batch and epoch, and requests an early stop."""

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
        self.stop = is_lost(patience, self.epochs)
        self.tell_epochs()

    def after_batch(self) -> bool:
        """Fit's should_stop: counts the batch and reports about once a second."""
        self.batch += 1
        now = time.monotonic()
        if self.batch == 0:
            self.told = now
        elif now - self.told >= self.EVERY:
            self.tell_batch(now)
        return self.stop

    def on_epoch(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)
        # If time is the limit, the last epoch may have fewer batches.
        self.work += self.batch * self.config.batch_size * cost(self.config, epoch.side)
        print(
            f"epoch {epoch.number}: loss {epoch.loss:.4f}, validation accuracy "
            f"{epoch.validation_accuracy:.4f}, {epoch.seconds:.0f} s in all",
            file=sys.stderr,
            flush=True,
        )
        self.batch, self.told_batch = -1, 0
        self.stop = is_lost(self.patience, self.epochs)
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
        """The finished share of the run's work, or of its time if it has a time limit."""
        if self.config.minutes is not None:
            seconds = self.seconds + time.monotonic() - self.began
            return min(1.0, seconds / (60 * self.config.minutes))
        return share_done(self.config, min(1.0, epochs / self.config.epochs))

    def speed(self) -> float | None:
        """Faces per second at 48 pixels over this process's epochs; None without any."""
        seconds = self.epochs[-1].seconds - self.seconds if self.epochs else 0.0
        return round(self.work / seconds, 1) if self.work and seconds > 0 else None
