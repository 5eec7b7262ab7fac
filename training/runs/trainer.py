"""Controls the training process: starts it, reads its messages, kills it with its children."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from training.runs.messages import JOB, LOG, TrainerMessage, TrainingJob, WeightsJob

COMMAND = [sys.executable, "-m", "training.runs.process"]
IMPORT_COMMAND = [sys.executable, "-m", "training.versions.importing"]

LOG_TAIL = 4000  # bytes


class Trainer:
    """A running training process in its own process group; closing it kills the group.

    It notices through its standard input when this process dies.
    """

    def __init__(self, command: list[str], log: Path):
        self.log = log
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                # Lower priority than everything that serves people.
                ["nice", "-n", "5", *command],
                cwd=settings.BASE_DIR,
                # TensorFlow's notes on the hardware would push the training's own words out of the
                # end of the log, which is what pages show.
                env={"TF_CPP_MIN_LOG_LEVEL": "2", **os.environ},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                process_group=0,
            )
        self._said: queue.SimpleQueue[TrainerMessage | None] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, name="trainer", daemon=True)
        self._listener.start()

    def messages(self, tick: float) -> Iterator[TrainerMessage | None]:
        """The process's messages until it ends, and None after each `tick` seconds of silence."""
        while True:
            try:
                message = self._said.get(timeout=tick)
            except queue.Empty:
                yield None
                continue
            if message is None:
                return
            yield message

    def log_tail(self) -> str:
        """The last lines that the process printed."""
        with self.log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - LOG_TAIL))
            text = file.read().decode(errors="replace").replace("\0", "")
        return text if size <= LOG_TAIL else text.partition("\n")[2]

    def kill(self) -> None:
        """Kill the process and its children.

        Nothing is lost: the last epoch's checkpoint is always complete.
        """
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()
        self._listener.join()
        for pipe in filter(None, (self.popen.stdin, self.popen.stdout)):
            pipe.close()

    def _listen(self) -> None:
        for line in self.popen.stdout or ():
            with contextlib.suppress(ValueError):  # cut off by the end of the process
                self._said.put(json.loads(line))
        self._said.put(None)


@contextlib.contextmanager
def train(folder: Path, job: TrainingJob) -> Iterator[Trainer]:
    """A training in `folder`, possibly with an earlier checkpoint; ends with the block."""
    with _started(COMMAND, folder, job) as trainer:
        yield trainer


@contextlib.contextmanager
def import_weights(folder: Path, job: WeightsJob) -> Iterator[Trainer]:
    """A process that turns the weights in `folder` into a model; ends with the block."""
    with _started(IMPORT_COMMAND, folder, job) as trainer:
        yield trainer


@contextlib.contextmanager
def _started(command: list[str], folder: Path, job: TrainingJob | WeightsJob) -> Iterator[Trainer]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / JOB).write_text(json.dumps(job))
    trainer = Trainer([*command, str(folder)], folder / LOG)
    try:
        yield trainer
    finally:
        trainer.kill()


@contextlib.contextmanager
def measure(architecture: str, log: Path) -> Iterator[Trainer]:
    """A process that measures a network's training speed; ends with the block."""
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    trainer = Trainer([*COMMAND, "--measure", architecture], log)
    try:
        yield trainer
    finally:
        trainer.kill()
