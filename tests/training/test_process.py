"""The real training process, TensorFlow and all: killed on the way, it ends in a working model."""

import os
import signal
import threading

import numpy as np
import pytest
from django.db import connection

from recognition import registry
from recognition.jobs import Status
from recognition.models import ModelVersion
from tests.processes import wait_until
from tests.training.conftest import numbers, started
from tests.training.drawing import draw_faces
from training import launch, runs
from training.models import Speed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

OPTIONS = {"architecture": "mini_xception", "precision": "float32"}


@pytest.mark.timeout(400)
def test_a_run_that_is_killed_and_resumed_ends_in_a_model(admin, dataset, monkeypatch):
    run = started(admin, dataset, epochs=4, **OPTIONS)
    processes = []
    start = runs.trainer.Trainer
    monkeypatch.setattr(
        runs.trainer, "Trainer", lambda *given: processes.append(start(*given)) or processes[-1]
    )

    def kill_after_the_first_epoch():
        wait_until(lambda: 1 in numbers(run), "the first epoch", seconds=180)
        os.killpg(processes[0].popen.pid, signal.SIGKILL)
        connection.close()

    killer = threading.Thread(target=kill_after_the_first_epoch)
    killer.start()
    runs.run_next()
    killer.join()
    assert runs.run_next()
    run.refresh_from_db()

    assert (run.status, run.attempts) == (Status.SUCCEEDED, 2), run.log + run.error_message
    assert numbers(run) == [1, 2, 3, 4]
    assert "going on after epoch" in run.log
    version = run.model_version
    assert version == ModelVersion.objects.get(shipped=False)
    assert version.card["config"]["architecture"] == version.architecture == "mini_xception"
    assert version.weights_sha256
    faces_of = {one.split: one.figures["faces"] for one in run.evaluations.all()}
    assert (sorted(faces_of), faces_of["PublicTest"]) == (["PublicTest", "validation"], 52)
    assert run.evaluations.get(split="PublicTest").picture
    faces, _labels = draw_faces(3)
    assert registry.load_classifier(version).predict(faces).sum() == pytest.approx(3, abs=1e-3)
    assert Speed.objects.get().architecture == "mini_xception"


@pytest.mark.timeout(300)
def test_the_speed_of_a_network_can_be_measured_before_its_first_run(admin, dataset):
    config, _patience = launch.read_config("quick", {"epochs": 4, **OPTIONS, "batch_size": 16})
    assert launch.estimate(dataset, config) is None
    runs.measure_speed("mini_xception")

    assert np.isfinite(launch.estimate(dataset, config))
