"""Real workers and a real Redis: crashes and restarts during a training lose nothing."""

import os
import subprocess
import sys

import psutil
import pytest

from recognition.jobs import work
from recognition.jobs.lease import Status
from recognition.models import ModelVersion
from tests.processes import ROOT, wait_until
from tests.training.conftest import numbers, started
from training.models import TrainingRun
from training.runs import events, runs

pytestmark = pytest.mark.django_db(transaction=True)


def status_of(run: TrainingRun) -> str:
    return TrainingRun.objects.values_list("status", flat=True).get(pk=run.pk)


def sweep_until(run: TrainingRun, status: str) -> None:
    """Run the sweeper every few seconds, like beat, until the row has the status."""

    def swept() -> bool:
        work.sweep_all()
        return status_of(run) == status

    wait_until(swept, f"{status}, it is {status_of(run)}", seconds=90)


def test_workers_carry_out_what_is_started(training_worker, admin, dataset):
    training_worker(MIEN_TEST_EPOCH="0.3")
    first, second = started(admin, dataset), started(admin, dataset)
    wait_until(lambda: 1 in numbers(first), "the first epoch")
    second.refresh_from_db()
    assert (second.status, events.place_of(second)) == (Status.QUEUED, 1)
    assert status_of(first) == Status.RUNNING

    for run in (first, second):
        wait_until(lambda run=run: status_of(run) == Status.SUCCEEDED, "the training", 60)
    first.refresh_from_db()
    second.refresh_from_db()
    assert second.started_at > first.finished_at


def test_a_killed_worker_takes_its_trainer_along_and_loses_nothing(training_worker, admin, dataset):
    worker = training_worker(MIEN_TEST_EPOCH="0.5")
    run = started(admin, dataset, epochs=8)
    wait_until(lambda: 2 in numbers(run), "the second epoch")
    trainer = psutil.Process(int((runs.folder_of(run) / "pid").read_text()))
    worker.kill()
    trainer.wait(10)
    training_worker()

    sweep_until(run, Status.SUCCEEDED)
    run.refresh_from_db()
    assert numbers(run) == list(range(1, 9))
    assert run.log.count("going on after epoch") == 2


def test_a_worker_that_is_told_to_stop_gives_its_run_back(training_worker, admin, dataset):
    worker = training_worker(MIEN_TEST_EPOCH="0.3")
    run = started(admin, dataset, epochs=6)
    wait_until(lambda: 2 in numbers(run), "the second epoch")
    worker.popen.terminate()
    worker.popen.wait(10)
    run.refresh_from_db()
    assert (run.status, run.attempts) == (Status.QUEUED, 0)

    training_worker()  # the message was sent by the first one
    wait_until(lambda: status_of(run) == Status.SUCCEEDED, "the end")
    run.refresh_from_db()
    assert run.attempts == 1
    assert numbers(run) == list(range(1, 7))


def test_a_broker_restart_loses_nothing(training_worker, admin, dataset, redis_server):
    training_worker(MIEN_TEST_EPOCH="0.3")
    run = started(admin, dataset, epochs=8)
    waiting = started(admin, dataset, epochs=2)
    wait_until(lambda: 2 in numbers(run), "the second epoch")
    redis_server.stop()  # without saving: every message is gone
    redis_server.start()

    sweep_until(run, Status.SUCCEEDED)
    sweep_until(waiting, Status.SUCCEEDED)
    assert numbers(run) == list(range(1, 9))
    assert numbers(waiting) == [1, 2]


def test_a_worker_cancels_what_it_carries_out(training_worker, admin, dataset):
    training_worker(MIEN_TEST_EPOCH="0.3")
    run = started(admin, dataset, epochs=400)
    wait_until(lambda: 1 in numbers(run), "the first epoch")
    assert runs.cancel(run)

    wait_until(lambda: status_of(run) == Status.CANCELED, "the end", seconds=5)


def test_what_is_deleted_meanwhile_is_forgotten(training_worker, admin, dataset):
    training_worker(MIEN_TEST_EPOCH="0.3")
    run = started(admin, dataset, epochs=400)
    wait_until(lambda: 1 in numbers(run), "the first epoch")
    trainer = psutil.Process(int((runs.folder_of(run) / "pid").read_text()))
    TrainingRun.objects.all().delete()

    trainer.wait(10)
    assert not ModelVersion.objects.filter(shipped=False).exists()


def test_neither_web_nor_workers_import_tensorflow():
    """Only training.runs.process does."""
    code = (
        "import fer_site.asgi, fer_site.urls, fer_site.celery, sys; import training.runs.tasks\n"
        "from training import admin, api\n"
        "from training.runs import trainer\n"
        "loaded = {'tensorflow', 'keras', 'tf2onnx', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(', '.join(loaded) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
