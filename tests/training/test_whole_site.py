"""A training survives a restart of the whole site."""

import signal

import httpx
import pytest

from benchmarks.site import Site
from tests.deploy.test_whole_site import Run, alive, start
from tests.processes import wait_until
from tests.training.drawing import write_csv

__all__ = ["start"]  # the fixture

pytestmark = pytest.mark.slow

API = "/api/v1"


def signed_in(run: Run) -> httpx.Client:
    run.wait_until_ready()
    return Site(run.url, run.popen.pid, "").sign_in()


@pytest.mark.timeout(400)
def test_a_training_goes_on_after_a_restart_of_everything(start, tmp_path):
    first = start()
    client = signed_in(first)
    with write_csv(tmp_path / "faces.csv.gz", count=280).open("rb") as file:
        dataset = client.post(f"{API}/datasets/", files={"data": file}).json()["id"]
    wait_until(
        lambda: client.get(f"{API}/datasets/{dataset}/").json()["status"] == "succeeded",
        "the check of the data",
        seconds=60,
    )
    choices = {"dataset": dataset, "preset": "quick", "epochs": 12, "batch_size": 16}
    choices |= {"architecture": "mini_xception", "precision": "float32", "validation": 0.1}
    address = (
        f"{API}/training-runs/{client.post(f'{API}/training-runs/', json=choices).json()['id']}/"
    )
    wait_until(
        lambda: client.get(address).json()["epoch_count"] >= 2, "the second epoch", seconds=180
    )
    trainers = first.pids("training.runs.process")
    assert trainers
    first.stop(signal.SIGINT)
    assert not alive(trainers)

    client = signed_in(start())
    wait_until(lambda: client.get(address).json()["status"] == "succeeded", "the end", seconds=240)
    state = client.get(address).json()
    assert [epoch["number"] for epoch in state["epochs"]] == list(range(1, 13))
    assert "going on after epoch" in state["log"]
    assert state["model_version"] == 2
