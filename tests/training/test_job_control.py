"""Jobs of any kind tried again and canceled, and their queues paused and resumed."""

import time
from datetime import timedelta

import pytest
from celery import current_app
from django.utils import timezone

import recognition.tasks
from recognition import recordings, registry
from recognition.jobs import Status
from recognition.models import Analysis, Export
from tests.processes import wait_until
from tests.recognition.test_recordings import tracked
from tests.recognition.uploads import submit
from tests.training.conftest import started
from tests.training.test_queue import status_of
from training import checks, evaluations, imports, job_control, runs, tasks
from training.job_control import KINDS, PAUSABLE
from training.models import Dataset, Evaluation, ModelImport, TrainingRun

pytestmark = pytest.mark.django_db

TASKS = {
    Analysis: recognition.tasks.analyze,
    Dataset: tasks.check_dataset,
    Evaluation: tasks.evaluate,
    Export: recognition.tasks.export,
    ModelImport: tasks.import_weights,
    TrainingRun: tasks.train,
}


@pytest.fixture
def each(admin, dataset, user, astronaut) -> dict:
    """One queued job of each kind."""
    Dataset.objects.update(status=Status.QUEUED)
    version = registry.register_shipped_model()
    Dataset.objects.update(status=Status.SUCCEEDED)
    run = started(admin, dataset)
    Dataset.objects.update(status=Status.QUEUED)
    dataset.refresh_from_db()
    evaluation = Evaluation.objects.create(version=version, dataset=dataset, split="PublicTest")
    return {
        "analysis": submit(user, astronaut),
        "training": run,
        "check": dataset,
        "evaluation": evaluation,
        "export": Export.objects.create(owner=user, format="csv"),
        "import": ModelImport.objects.create(name="theirs.npz"),
    }


@pytest.mark.parametrize("model", TASKS)
def test_a_kind_names_the_queue_of_its_task(model):
    route = current_app.amqp.router.route({}, TASKS[model].name)

    assert route["queue"].name == model.queue


def test_a_kind_for_each_model_of_jobs():
    assert {kind.model for kind in KINDS.values()} == set(TASKS)


@pytest.mark.parametrize("name", KINDS)
def test_a_job_that_waits_is_canceled_and_can_be_tried_again(each, name):
    kind, job = KINDS[name], each[name]
    assert kind.cancel(job)
    assert kind.model.objects.get(pk=job.pk).status == Status.CANCELED
    assert not kind.cancel(job)

    assert kind.rows().get(pk=job.pk).can_retry
    assert kind.retry(job)
    assert kind.model.objects.get(pk=job.pk).status == Status.QUEUED
    assert not kind.retry(job)


@pytest.mark.parametrize("name", ["check", "evaluation", "import"])
def test_what_is_canceled_while_it_runs_changes_nothing_any_more(each, name, monkeypatch):
    kind, job = KINDS[name], each[name]
    module, function, run = {
        "check": (checks, "inspect", checks.run_check),
        "evaluation": (evaluations, "load", evaluations.run_evaluation),
        "import": (imports, "follow", imports.run_import),
    }[name]

    def cancel_meanwhile(*args):
        assert kind.cancel(kind.model.objects.get(pk=job.pk))
        raise OSError("and then it breaks off")

    monkeypatch.setattr(module, function, cancel_meanwhile)
    run(str(job.pk))

    job = kind.model.objects.get(pk=job.pk)
    assert (job.status, job.error_code) == (Status.CANCELED, "")


def test_all_that_failed_with_a_code_are_tried_again_but_what_is_not_kept(user, astronaut):
    kept, lost, other = (submit(user, astronaut) for _ in range(3))
    Analysis.objects.update(status=Status.FAILED, error_code="gave_up", finished_at=timezone.now())
    Analysis.objects.filter(pk=lost.pk).update(source="")
    Analysis.objects.filter(pk=other.pk).update(error_code="not_an_image")

    assert job_control.retry_failed(KINDS["analysis"], "gave_up") == 1
    queued = Analysis.objects.get(status=Status.QUEUED)
    assert (queued.pk, queued.error_code) == (kept.pk, "")


def test_so_many_at_once_and_the_rest_the_next_time(user, astronaut, monkeypatch):
    monkeypatch.setattr(job_control, "MOST_AT_ONCE", 2)
    for _ in range(3):
        submit(user, astronaut)
    Analysis.objects.update(status=Status.FAILED, error_code="gave_up")

    tried = [job_control.retry_failed(KINDS["analysis"], "gave_up") for _ in range(3)]
    assert tried == [2, 1, 0]


def test_a_webcam_session_that_is_kept_just_now_is_no_job(user):
    recorder = recordings.Recorder(user.pk, 0.0)
    recorder.note([tracked(1)], 0.1, (640, 480), registry.active_version().number)

    assert Analysis.objects.get().status == Status.RUNNING
    assert not KINDS["analysis"].rows().exists()


@pytest.mark.parametrize("name", KINDS)
def test_nothing_of_a_paused_queue_begins(each, name, admin):
    kind, job = KINDS[name], each[name]
    job_control.pause(kind.queue, admin)
    begin = {
        "analysis": recognition.tasks.analyze,
        "check": tasks.check_dataset,
        "evaluation": tasks.evaluate,
        "export": recognition.tasks.export,
        "import": tasks.import_weights,
    }
    if name == "training":
        assert not runs.run_next()
    else:
        begin[name](str(job.pk))

    assert kind.model.objects.get(pk=job.pk).status == Status.QUEUED


def test_the_sweeper_sends_nothing_to_paused_queues_and_all_once_they_are_resumed(
    each, admin, monkeypatch
):
    sent: list[str] = []
    for name in ("training", "check", "evaluation", "import"):
        monkeypatch.setattr(tasks, f"enqueue_{name}", lambda *key, name=name: sent.append(name))
    monkeypatch.setattr(tasks, "queue_length", lambda queue: 0)
    for queue in PAUSABLE:
        job_control.pause(queue, admin)
    for kind in KINDS.values():
        kind.model.objects.update(enqueued_at=timezone.now() - timedelta(hours=3))
    tasks.requeue_stale()
    assert sent == []

    for queue in PAUSABLE:
        job_control.resume(queue, admin)
    tasks.requeue_stale()
    assert sorted(sent) == ["check", "evaluation", "import", "training"]


@pytest.mark.django_db(transaction=True)
def test_a_paused_training_queue_outlasts_a_restart_of_its_worker(
    training_worker, admin, dataset, settings
):
    first = training_worker(MIEN_TEST_EPOCH="0.3")
    running = started(admin, dataset, epochs=5)
    wait_until(lambda: status_of(running) == Status.RUNNING, "the training to begin")
    job_control.pause("training", admin)
    waiting = started(admin, dataset, epochs=2)
    wait_until(lambda: status_of(running) == Status.SUCCEEDED, "what runs to end", 60)
    first.kill()
    training_worker()
    for _ in range(4):
        tasks.requeue_stale()
        time.sleep(0.5)
    assert status_of(waiting) == Status.QUEUED

    job_control.resume("training", admin)
    tasks.requeue_stale()
    wait_until(lambda: status_of(waiting) == Status.SUCCEEDED, "the training that waited", 60)
