"""Checkpoints of runs in object storage, so that a run can go on after its host is gone."""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from recognition import storage
from training import files
from training.core.checkpoint import CHECKPOINT, CheckpointError, read_best

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5


def bring(folder: Path) -> None:
    """Have the newest checkpoint of a run in its folder: another host may have trained further."""
    path, other = folder / CHECKPOINT, folder / f"other-{CHECKPOINT}"
    if not files.is_shared(path):
        return
    files.download(path, other)
    if epochs_of(other) > epochs_of(path):
        other.rename(path)
    other.unlink(missing_ok=True)


def epochs_of(path: Path) -> int:
    """How many epochs a checkpoint has behind it; 0 without one."""
    try:
        return len(read_best(path)[1].epochs) if path.exists() else 0
    except CheckpointError:
        return 0


@contextmanager
def sharing(folder: Path) -> Iterator[Callable[[], None]]:
    """Share the run's checkpoint each time the given function is called, beside the block.

    In a thread: the lease must be renewed meanwhile. The last one is shared when the block ends.
    Trouble with the storage holds up no training.
    """
    if not storage.is_remote():
        yield lambda: None
        return
    wanted, ended = threading.Event(), threading.Event()

    def work() -> None:
        while wanted.is_set() or not ended.is_set():
            if wanted.wait(POLL_SECONDS):
                wanted.clear()
                _share(folder)

    thread = threading.Thread(target=work, name="checkpoints")
    thread.start()
    try:
        yield wanted.set
    finally:
        ended.set()
        thread.join()


def _share(folder: Path) -> None:
    path, snapshot = folder / CHECKPOINT, folder / f"snapshot-{CHECKPOINT}"
    if not path.exists():  # before the first epoch
        return
    try:
        os.link(path, snapshot)  # the next epoch replaces the file while this one is sent
        storage.replace(snapshot, files.name_of(path))
    except Exception as error:
        if not isinstance(error, OSError) and not storage.is_trouble(error):
            raise
        logger.warning("The checkpoint in %s was not shared: %s", folder, error)
    finally:
        snapshot.unlink(missing_ok=True)
