"""What ties a training process to the one that started it: it speaks to it, and ends with it."""

import json
import os
import sys
import threading
from collections.abc import Callable
from typing import TextIO

from training.runs.messages import TrainerMessage

Say = Callable[[TrainerMessage], None]


def end_with_starter() -> None:
    """End this process as soon as the one that holds the other end of its input is gone."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        os._exit(1)

    threading.Thread(target=watch, name="starter", daemon=True).start()


def speaker() -> Say:
    """Messages go to standard output; whatever else is printed there goes to the log."""
    output: TextIO = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(message: TrainerMessage) -> None:
        output.write(json.dumps(message) + "\n")
        output.flush()

    return say
