"""A run gets from the queue to a model version, whatever happens on the way."""

import json
import os
import signal
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from recognition.jobs import lease
from recognition.jobs.lease import Status
from recognition.models import ModelVersion
from tests.processes import wait_until
from tests.training.conftest import numbers, started
from training.core import duration
from training.models import Epoch, TrainingRun
from training.runs import events, launch, runs

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("stand_in")]


class Background:
    """Executes the next run in a thread like the worker, while the test interferes."""

    def __init__(self):
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        runs.run_next()
        connection.close()

    def join(self):
        self.thread.join(60)
        assert not self.thread.is_alive()


def trainer_of(run: TrainingRun) -> int:
    return int((runs.folder_of(run) / "pid").read_text())


def reached(run: TrainingRun, epoch: int) -> None:
    wait_until(lambda: epoch in numbers(run), f"epoch {epoch}")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_run_ends_in_a_model_version_with_evaluations(admin, dataset):
    run = started(admin, dataset)
    assert runs.run_next()
    run.refresh_from_db()

    assert (run.status, run.phase, run.attempts) == (Status.SUCCEEDED, "done", 1)
    assert numbers(run) == [1, 2, 3, 4, 5]
    assert run.model_version == ModelVersion.objects.get()
    assert [evaluation.split for evaluation in run.evaluations.all()] == ["validation"]
    assert not runs.folder_of(run).exists()
    assert not runs.run_next()


def test_a_precision_that_is_left_open_is_the_machine_s_and_stays(admin, dataset, monkeypatch):
    monkeypatch.setattr(duration, "fastest", lambda: "float32")
    run = started(admin, dataset, epochs=1)
    assert run.config["precision"] == "auto"
    runs.run_next()
    run.refresh_from_db()

    assert run.config["precision"] == "float32"
    asked = started(admin, dataset, epochs=1, precision="mixed_bfloat16")
    runs.run_next()
    asked.refresh_from_db()
    assert asked.config["precision"] == "mixed_bfloat16"


def test_a_killed_trainer_is_resumed_without_gap_or_double(admin, dataset, monkeypatch):
    monkeypatch.setenv("MIEN_TEST_EPOCH", "0.3")
    run = started(admin, dataset)
    work = Background()
    reached(run, 2)
    os.kill(trainer_of(run), signal.SIGKILL)
    work.join()
    run.refresh_from_db()
    assert (run.status, run.attempts) == (Status.QUEUED, 1)

    assert runs.run_next()
    run.refresh_from_db()
    assert run.status == Status.SUCCEEDED
    assert numbers(run) == [1, 2, 3, 4, 5]
    assert "going on after epoch 2" in run.log or "going on after epoch 3" in run.log


def test_a_run_is_followed_on_after_its_database_was_away(admin, dataset, monkeypatch):
    monkeypatch.setenv("MIEN_TEST_EPOCH", "0.3")
    run = started(admin, dataset)
    look, broken = runs.look, threading.Event()

    def lose_connection_once(run):
        if Epoch.objects.filter(run=run).exists() and not broken.is_set():
            broken.set()
            connection.connection.close()  # as a server does that is restarted
        look(run)

    monkeypatch.setattr(runs, "look", lose_connection_once)
    Background().join()
    run.refresh_from_db()
    assert broken.is_set()
    assert (run.status, run.attempts) == (Status.SUCCEEDED, 1)
    assert numbers(run) == [1, 2, 3, 4, 5]


def test_it_resumes_three_times_by_itself_and_then_says_so(admin, dataset, monkeypatch):
    monkeypatch.setenv("MIEN_TEST_TRAINER", "dies")
    run = started(admin, dataset)
    attempts = 0
    while runs.run_next():
        attempts += 1
    run.refresh_from_db()

    assert attempts == run.attempts == 4
    assert (run.status, run.error_code) == (Status.FAILED, "gave_up")


def test_a_run_that_gets_further_each_time_is_never_given_up(admin, dataset, monkeypatch):
    monkeypatch.setenv("MIEN_TEST_EPOCH", "0.3")
    run = started(admin, dataset, epochs=9)
    for attempt in range(1, 7):
        work = Background()
        reached(run, attempt)
        os.kill(trainer_of(run), signal.SIGKILL)
        work.join()
    run.refresh_from_db()
    assert (run.status, run.attempts) == (Status.QUEUED, 1)

    assert runs.run_next()
    run.refresh_from_db()
    assert run.status == Status.SUCCEEDED
    assert numbers(run) == list(range(1, 10))


def test_what_a_person_has_to_change_is_not_tried_again(admin, dataset, monkeypatch):
    monkeypatch.setenv("MIEN_TEST_TRAINER", "problem")
    run = started(admin, dataset)
    runs.run_next()
    run.refresh_from_db()

    assert (run.status, run.error_code) == (Status.FAILED, "cannot_train")
    assert run.error_message == "These faces are no good."


def test_a_canceled_run_stops_and_keeps_its_checkpoint(admin, dataset, monkeypatch):
    monkeypatch.setenv("MIEN_TEST_EPOCH", "0.3")
    run = started(admin, dataset, epochs=200)
    work = Background()
    reached(run, 2)
    trainer = trainer_of(run)
    assert runs.cancel(run)
    work.join()
    run.refresh_from_db()

    assert (run.status, run.cancel_requested) == (Status.CANCELED, False)
    assert not is_alive(trainer)
    kept = json.loads((runs.folder_of(run) / "checkpoint.json").read_text())
    assert len(kept) >= 2


def test_a_canceled_run_goes_on_from_its_last_epoch(admin, dataset, monkeypatch):
    monkeypatch.setenv("MIEN_TEST_EPOCH", "0.3")
    run = started(admin, dataset, epochs=6)
    work = Background()
    reached(run, 2)
    runs.cancel(run)
    work.join()
    first = run.epochs.get(number=1).pk
    monkeypatch.setenv("MIEN_TEST_EPOCH", "0")
    run.refresh_from_db()
    assert runs.resume(run)
    runs.run_next()
    run.refresh_from_db()

    assert run.status == Status.SUCCEEDED
    assert numbers(run) == [1, 2, 3, 4, 5, 6]
    assert run.epochs.get(number=1).pk == first


def test_a_queued_run_is_canceled_at_once(admin, dataset):
    run = started(admin, dataset)
    assert runs.cancel(run)

    assert run.status == Status.CANCELED
    assert not runs.run_next()
    assert not runs.cancel(run)


def test_runs_are_carried_out_in_order(admin, dataset):
    first, second, third = (started(admin, dataset) for _ in range(3))

    assert list(runs.waiting()) == [first, second, third]
    assert [events.place_of(run) for run in (first, second, third)] == [1, 2, 3]


def test_a_resumed_run_keeps_its_place(admin, dataset, monkeypatch):
    first, second = started(admin, dataset), started(admin, dataset)
    monkeypatch.setenv("MIEN_TEST_TRAINER", "dies")
    runs.run_next()

    assert list(runs.waiting()) == [first, second]


def test_the_trainer_of_a_run_that_was_taken_over_is_stopped(admin, dataset, monkeypatch):
    monkeypatch.setenv("MIEN_TEST_EPOCH", "0.3")
    run = started(admin, dataset, epochs=200)
    work = Background()
    reached(run, 1)
    trainer = trainer_of(run)
    TrainingRun.objects.filter(pk=run.pk).update(lease_owner="somebody else")
    work.join()
    run.refresh_from_db()

    assert (run.status, run.lease_owner) == (Status.RUNNING, "somebody else")
    assert not is_alive(trainer)


def test_rows_follow_the_checkpoint(admin, dataset):
    run = started(admin, dataset)
    figures = dict.fromkeys((field.name for field in Epoch._meta.concrete_fields[3:]), 1)
    Epoch.objects.bulk_create(Epoch(run=run, number=number, **figures) for number in (1, 3))
    run = lease.claim(runs.waiting())
    epochs = [{"number": number, **figures} for number in (1, 2)]
    new = runs.store_epochs(run, {"type": "epochs", "epochs": epochs}, log="")

    assert numbers(run) == [1, 2]
    assert [epoch.number for epoch in new] == [2]


@pytest.mark.parametrize(("canceled", "status"), [(False, "queued"), (True, "canceled")])
def test_the_sweeper_finds_runs_whose_worker_is_gone(admin, dataset, canceled, status):
    run = started(admin, dataset)
    lease.claim(runs.waiting())
    past = timezone.now() - timedelta(seconds=1)
    TrainingRun.objects.update(lease_expires_at=past, cancel_requested=canceled)
    runs.requeue_stale(lambda: None, 0)
    run.refresh_from_db()

    assert run.status == status


@pytest.mark.parametrize(("messages", "sent"), [(0, 1), (1, 0)])
def test_one_message_is_enough_for_all_that_wait(admin, dataset, messages, sent):
    started(admin, dataset), started(admin, dataset)
    heard = []
    runs.requeue_stale(lambda: heard.append(True), messages)

    assert len(heard) == sent


def test_the_speed_is_remembered_for_the_next_estimate(admin, dataset):
    started(admin, dataset)
    runs.run_next()
    again = started(admin, dataset)

    assert again.estimated_seconds > launch.START_SECONDS
