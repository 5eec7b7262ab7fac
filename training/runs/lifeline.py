"""Ties a training process to its parent: sends messages to it, and ends with it."""

import json
import os
import sys
import threading
from collections.abc import Callable
from typing import TextIO

from training.runs.messages import TrainerMessage

Say = Callable[[TrainerMessage], None]


def end_with_starter() -> None:
    """End this process when the one at the other end of its standard input is gone."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        os._exit(1)

    threading.Thread(target=watch, name="starter", daemon=True).start()


def speaker() -> Say:
    """Send messages to standard output; anything else printed goes to the log."""
    output: TextIO = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(message: TrainerMessage) -> None:
        output.write(json.dumps(message) + "\n")
        output.flush()

    return say
