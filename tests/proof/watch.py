"""Watches the processes of a site while a proof goes on: memory, open files, queues."""

import threading
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

from benchmarks.memory import pss_mb
from tests.proof.site import ProofSite


def peak_mb(pid: int) -> float:
    """The most memory that a process has had at a time, shared pages included."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


class Watch(threading.Thread):
    """Notes every few seconds what each process uses; stops at the end of its `with` block."""

    def __init__(self, site: ProofSite, every: float = 1.0):
        super().__init__(daemon=True)
        self.site, self.every = site, every
        self.done = threading.Event()
        self.peaks: dict[str, float] = defaultdict(float)  # MB, by name
        self.pss: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)
        """(seconds, MB) of each process, by name and number."""

    def __enter__(self) -> "Watch":
        self.start()
        return self

    def __exit__(self, *details: object) -> None:
        self.done.set()
        self.join(30)

    def run(self) -> None:
        while not self.done.wait(self.every):
            self.look()

    def look(self) -> None:
        for pid, name in self.site.processes().items():
            with suppress(OSError, ValueError, IndexError):  # it has just ended
                self.peaks[name] = max(self.peaks[name], peak_mb(pid))
                self.pss[name, pid].append((time.monotonic(), pss_mb(pid)))
