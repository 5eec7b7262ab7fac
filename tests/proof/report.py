"""What a proof prints and keeps: progress, figures, promises, and a file of its results."""

import argparse
import json
import os
import platform
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.processes import ROOT

RESULTS = ROOT / "var" / "proof"
SHOWN = 5  # details of a broken promise


class Report:
    """The record of one proof. `options` are what it was run with, `results` among them."""

    def __init__(self, name: str, options: dict[str, Any]):
        self.name, self.options = name, dict(options)
        self.folder = Path(self.options.pop("results", None) or RESULTS)
        self.began = time.monotonic()
        self.figures: dict[str, Any] = {}
        self.promises: list[tuple[str, list[str]]] = []
        self.say(f"{name}, {machine()}, {self.options}")

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self.began:6.1f} s] {text}", flush=True)

    def figure(self, name: str, value: Any) -> None:
        self.figures[name] = value
        self.say(f"{name}: {value}")

    def promise(self, text: str, broken: Sequence[object]) -> None:
        """Note whether a promise is kept: `broken` lists what breaks it."""
        details = [str(one) for one in broken]
        self.promises.append((text, details))
        self.say(f"{'BROKEN' if details else 'kept'}: {text}")
        for detail in details[:SHOWN]:
            print(f"           {detail}", flush=True)
        if len(details) > SHOWN:
            print(f"           and {len(details) - SHOWN} more", flush=True)

    @property
    def is_kept(self) -> bool:
        return bool(self.promises) and not any(broken for _text, broken in self.promises)

    def finish(self) -> int:
        """Write the results; the exit status of the proof."""
        seconds = round(time.monotonic() - self.began)
        self.folder.mkdir(parents=True, exist_ok=True)
        content = {
            "proof": self.name,
            "kept": self.is_kept,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "seconds": seconds,
            "options": self.options,
            "figures": self.figures,
            "promises": [
                {"promise": text, "broken": details[:100]} for text, details in self.promises
            ],
        }
        path = self.folder / f"{self.name}.json"
        path.write_text(json.dumps(content, indent=2, default=str) + "\n")
        self.say(f"{self.name}: {'all promises kept' if self.is_kept else 'BROKEN'}, {path}")
        return 0 if self.is_kept else 1


def options_of(about: str) -> argparse.ArgumentParser:
    """A parser with the options that every proof has."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn")
    parser.add_argument("--results", type=Path, default=RESULTS, help="a folder")
    return parser


def machine() -> str:
    """The processor, and how many of its cores this process may use."""
    model = platform.processor() or platform.machine()
    about = Path("/proc/cpuinfo")
    if about.exists():
        lines = about.read_text().splitlines()
        model = next(
            (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
            model,
        )
    return f"{len(os.sched_getaffinity(0))} cores of {model}"
