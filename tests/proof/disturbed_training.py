"""A training that is killed again and again, beside one with the same seed that isn't."""

import random
import threading
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from tests.proof.report import Report
from tests.proof.site import ProofSite, wait_for
from tests.training.drawing import write_csv

API = "/api/v1"
CHOICES = {
    "preset": "quick",
    "batch_size": 16,
    "architecture": "mini_xception",
    "precision": "float32",
    "validation": 0.1,
    "seed": 7,
}
FACES = 210
CLOSE = 1e-3  # sums of floats in another order differ by less, however many epochs
LONGEST = 1800  # seconds
ENDED = {"succeeded", "failed", "canceled"}


class Training:
    """Both runs, through the API."""

    def __init__(self, site: ProofSite, client: httpx.Client, epochs: int):
        self.site, self.client, self.epochs = site, client, epochs
        self.kills = 0
        with TemporaryDirectory() as folder:
            faces = write_csv(Path(folder) / "faces.csv.gz", count=FACES).read_bytes()
        answer = client.post(f"{API}/datasets/", files={"data": ("faces.csv.gz", faces)})
        self.dataset = answer.raise_for_status().json()["id"]
        checked = wait_for(
            lambda: client.get(f"{API}/datasets/{self.dataset}/").json()["status"] == "succeeded",
            "the check of the data",
            60,
        )
        assert checked, "the data set was not checked"

    def start(self) -> str:
        wanted = {**CHOICES, "dataset": self.dataset, "epochs": self.epochs}
        answer = self.client.post(f"{API}/training-runs/", json=wanted)
        return f"{API}/training-runs/{answer.raise_for_status().json()['id']}/"

    def state(self, address: str) -> dict[str, Any]:
        """The state of a run; empty while the site doesn't answer."""
        with suppress(httpx.TransportError, ValueError):
            answer = self.client.get(address)
            if answer.is_success:
                return answer.json()
        return {}

    def learn_undisturbed(self) -> None:
        """Wait for one to end, and start the other one."""
        self.whole = self.start()
        ended = wait_for(lambda: self.state(self.whole).get("status") in ENDED, "it", LONGEST)
        assert ended, "the undisturbed training takes too long here"
        self.parts = self.start()

    def learn_disturbed(self, killer: Any, done: threading.Event) -> None:
        """Kill the worker or its trainer whenever the run has come an epoch further.

        A run that gets nowhere in four attempts is given up, on purpose.
        """
        chance = random.Random(killer.chance.random())
        seen = 0
        deadline = time.monotonic() + LONGEST
        while time.monotonic() < deadline:
            state = self.state(self.parts)
            if state.get("status") in ENDED:
                return
            if state.get("epoch_count", 0) > seen and not done.is_set():
                seen = state["epoch_count"]
                time.sleep(chance.uniform(0, 1))
                name = chance.choice(["worker-training", "trainer"])
                killer.kill(name)
                self.kills += 1
            time.sleep(0.3)

    def check(self, report: Report) -> None:
        whole, parts = self.state(self.whole), self.state(self.parts)
        report.figure("kills of the training", self.kills)
        report.promise("the training was killed", [] if self.kills else ["never"])
        states = [whole.get("status"), parts.get("status")]
        report.promise(
            "both trainings have succeeded", [] if set(states) == {"succeeded"} else states
        )
        numbers = [epoch["number"] for epoch in parts.get("epochs", [])]
        wanted = list(range(1, self.epochs + 1))
        report.promise(
            "the disturbed one has each epoch once", [] if numbers == wanted else [numbers]
        )
        differences = [
            abs(one[name] - other[name])
            for one, other in zip(whole.get("epochs", []), parts.get("epochs", []), strict=False)
            for name in ("loss", "accuracy", "validation_loss", "validation_accuracy")
        ]
        largest = max(differences, default=float("inf"))
        report.figure("largest difference between the curves", f"{largest:.2g}")
        report.promise(
            f"both curves are the same to {CLOSE:g}", [largest] if largest > CLOSE else []
        )
