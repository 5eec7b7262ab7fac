"""The real training process with TensorFlow: even if killed, it ends in a working model."""

import os
import re
import signal
import threading
import time

import numpy as np
import pytest
from django.db import connection

from recognition.jobs.lease import Status
from recognition.models import ModelVersion
from recognition.registry import registry
from tests.processes import wait_until
from tests.training.conftest import numbers, started
from tests.training.drawing import draw_faces
from training.models import Speed
from training.runs import launch, runs, trainer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

OPTIONS = {"architecture": "mini_xception", "precision": "float32"}


@pytest.fixture
def processes(monkeypatch) -> list[trainer.Trainer]:
    """The training processes, in the order in which they are started."""
    begun: list[trainer.Trainer] = []
    start = trainer.Trainer
    monkeypatch.setattr(trainer, "Trainer", lambda *given: begun.append(start(*given)) or begun[-1])
    return begun


def carry_out_until_the_first_epoch(run, then) -> None:
    """Run it, and call a function after its first epoch."""

    def interfere():
        wait_until(lambda: 1 in numbers(run), "the first epoch", seconds=180)
        then()
        connection.close()

    meddler = threading.Thread(target=interfere)
    meddler.start()
    runs.run_next()
    meddler.join()


@pytest.mark.timeout(400)
def test_a_run_that_is_killed_and_resumed_ends_in_a_model(admin, dataset, processes):
    run = started(admin, dataset, epochs=4, patience=4, **OPTIONS)
    carry_out_until_the_first_epoch(run, lambda: os.killpg(processes[0].popen.pid, signal.SIGKILL))
    assert runs.run_next()
    run.refresh_from_db()

    assert run.status == Status.SUCCEEDED, run.log + run.error_message
    assert numbers(run) == [1, 2, 3, 4]
    assert "going on after epoch" in run.log
    version = run.model_version
    assert version == ModelVersion.objects.get(shipped=False)
    assert version.card["config"]["architecture"] == version.architecture == "mini_xception"
    assert version.card["patience"] == 4
    assert version.weights_sha256
    faces_of = {one.split: one.figures["faces"] for one in run.evaluations.all()}
    assert (sorted(faces_of), faces_of["PublicTest"]) == (["PublicTest", "validation"], 52)
    assert run.evaluations.get(split="PublicTest").picture
    faces, _labels = draw_faces(3)
    assert registry.load_classifier(version).predict(faces).sum() == pytest.approx(3, abs=1e-3)
    assert Speed.objects.get().architecture == "mini_xception"


@pytest.mark.timeout(400)
def test_a_run_that_is_canceled_stops_at_once_and_goes_on_when_resumed(admin, dataset, processes):
    run = started(admin, dataset, epochs=20, **OPTIONS)
    canceled_at = []

    def cancel():
        canceled_at.append(time.monotonic())
        runs.cancel(run)

    carry_out_until_the_first_epoch(run, cancel)
    seconds = time.monotonic() - canceled_at[0]
    run.refresh_from_db()

    assert (run.status, seconds < 5) == (Status.CANCELED, True), seconds
    with pytest.raises(ProcessLookupError):
        os.killpg(processes[0].popen.pid, 0)
    learned = numbers(run)
    assert 1 <= len(learned) < 20
    assert (runs.folder_of(run) / "checkpoint.npz").is_file()

    assert runs.resume(run)
    assert runs.run_next()
    run.refresh_from_db()
    assert run.status == Status.SUCCEEDED, run.log + run.error_message
    assert numbers(run) == list(range(1, 21))
    # The process may have stored one more epoch than it reported before it was stopped.
    began = int(re.search(r"going on after epoch (\d+)", run.log)[1])
    assert len(learned) <= began <= len(learned) + 1


@pytest.mark.timeout(300)
def test_the_speed_of_a_network_can_be_measured_before_its_first_run(admin, dataset):
    config, _patience = launch.read_config("quick", {"epochs": 4, **OPTIONS, "batch_size": 16})
    assert launch.estimate(dataset, config) is None
    runs.measure_speed("mini_xception")

    assert np.isfinite(launch.estimate(dataset, config))
