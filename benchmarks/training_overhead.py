"""The overhead of the site over `manage.py train`: `make bench-training_overhead`.

Starts a whole site, uploads synthetic faces, and runs the same training in pairs with alternating
order: on the site, and in the foreground on the same machine. Compares the time from the end of
the first epoch to the end of the last, pair by pair: wall time by the checkpoint's clock, and CPU
time of the training process and, on the site, of the worker that follows it. On a shared machine,
trust the CPU time.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np
import psutil

from benchmarks.site import Site, running_site
from tests.training.drawing import write_csv

GOAL = 1.05
API = "/api/v1"
LOOK = 1.0  # seconds between two polls of a run; more would slow it down


@dataclass(frozen=True)
class Cost:
    """Wall and CPU seconds of the epochs after the first."""

    seconds: float
    processor: float


def wait_for(client: httpx.Client, address: str) -> dict[str, Any]:
    """The final state of a job; fails unless it succeeded."""
    while (state := client.get(address).json())["status"] in ("queued", "running"):
        time.sleep(LOOK)
    assert state["status"] == "succeeded", state["error"]
    return state


def from_the_browser(site: Site, client: httpx.Client, choices: dict[str, Any]) -> Cost:
    """Train as the form does."""
    run = client.post(f"{API}/training-runs/", json=choices).json()
    address = f"{API}/training-runs/{run['id']}/"
    marks = []
    for epoch in (1, choices["epochs"]):
        while (state := client.get(address).json())["epoch_count"] < epoch:
            assert state["status"] in ("queued", "running"), state["error"]
            time.sleep(LOOK)
        marks.append(processor_time(site, run["id"]))
    state = wait_for(client, address)
    assert state["attempts"] == 1
    return Cost(between(state["epochs"]), marks[1] - marks[0])


def processor_time(site: Site, run: str) -> float:
    """CPU time of a run's training process and its worker so far."""
    children = psutil.Process(site.pid).children(recursive=True)
    trainer = next(one for one in children if run in " ".join(one.cmdline()))
    return spent(trainer) + spent(psutil.Process(trainer.ppid()))


def in_the_foreground(site: Site, data: Path, output: Path, choices: dict[str, Any]) -> Cost:
    """Train with the command."""
    command = [sys.executable, "manage.py", "train", "--verbosity", "0", "--data", str(data)]
    for name in ("preset", "architecture", "epochs", "seed"):
        command += [f"--{name}", str(choices[name])]
    marks = []
    with subprocess.Popen(
        [*command, "--output", str(output)],
        env=os.environ | {"MIEN_DATA": site.data_dir},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        for line in process.stdout:
            if line.startswith(("epoch 1:", f"epoch {choices['epochs']}:")):
                marks.append(spent(psutil.Process(process.pid)))
    assert process.returncode == 0, "manage.py train failed"
    with np.load(output / "checkpoint.npz") as checkpoint:
        facts = json.loads(str(checkpoint["facts"]))
    return Cost(between(facts["epochs"]), marks[1] - marks[0])


def spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def between(epochs: list[dict[str, Any]]) -> float:
    return epochs[-1]["seconds"] - epochs[0]["seconds"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=4)
    parser.add_argument("--faces", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--architecture", default="se_resnet")
    options = parser.parse_args()
    choices: dict[str, Any] = {"preset": "balanced", "epochs": options.epochs}
    choices["architecture"] = options.architecture
    pairs: list[tuple[Cost, Cost]] = []
    with running_site() as site, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = write_csv(folder / "faces.csv.gz", options.faces)
        client = site.sign_in()
        with data.open("rb") as file:
            dataset = client.post(f"{API}/datasets/", files={"data": file}).json()
        wait_for(client, f"{API}/datasets/{dataset['id']}/")
        choices["dataset"] = dataset["id"]
        # The first request makes the worker measure the network's speed; a run would wait for that.
        while not client.post(f"{API}/training-runs/estimate/", json=choices).json()["seconds"]:
            time.sleep(LOOK)
        for seed in range(1, options.pairs + 1):
            choice = choices | {"seed": seed}
            costs = {}
            for way in ("site", "command") if seed % 2 else ("command", "site"):
                if way == "site":
                    costs[way] = from_the_browser(site, client, choice)
                else:
                    costs[way] = in_the_foreground(site, data, folder / str(seed), choice)
                print(
                    f"  {way}: {costs[way].seconds:.1f} s, processor {costs[way].processor:.1f} s",
                    flush=True,
                )
            pairs.append((costs["site"], costs["command"]))

    seconds = [site.seconds / command.seconds for site, command in pairs]
    processor = [site.processor / command.processor for site, command in pairs]
    print(
        f"{options.architecture}, {options.faces} faces, {options.epochs - 1} epochs after the "
        f"first, {options.pairs} pairs; over manage.py train a training from the browser takes"
    )
    for what, ratios in (("by the clock", seconds), ("processor time", processor)):
        spread = ", ".join(f"{100 * (ratio - 1):+.1f}" for ratio in sorted(ratios))
        print(f"  {what}: {100 * (median(ratios) - 1):+.1f} % (each pair: {spread})")
    print(f"  goal: at most {100 * (GOAL - 1):+.0f} % of both")
    return 0 if max(median(seconds), median(processor)) <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
