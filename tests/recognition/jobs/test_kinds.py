"""Retrying and canceling jobs of any kind, and pausing and resuming queues."""

import time
from datetime import timedelta

import pytest
from celery import current_app
from django.utils import timezone

from recognition.history import tasks as export_tasks
from recognition.imports import tasks as import_tasks
from recognition.jobs import work
from recognition.jobs.kinds import KINDS, PARTS, pausable_queues
from recognition.jobs.lease import Status
from recognition.live import recordings
from recognition.models import Analysis, Export, MediaImport
from recognition.photos import tasks as photo_tasks
from recognition.registry import registry
from recognition.videos import tasks as video_tasks
from tests.processes import wait_until
from tests.recognition.live.test_recordings import tracked
from tests.recognition.uploads import submit
from tests.recognition.videos.rows import waiting_video
from tests.training.conftest import started
from tests.training.test_queue import status_of
from training.datasets import checks
from training.datasets import tasks as dataset_tasks
from training.models import Dataset, Evaluation, ModelImport
from training.runs import runs
from training.runs import tasks as run_tasks
from training.versions import evaluations, imports
from training.versions import tasks as version_tasks

pytestmark = pytest.mark.django_db

TASKS = {
    "analysis": photo_tasks.analyze,
    "video": video_tasks.prepare_video,
    "check": dataset_tasks.check_dataset,
    "evaluation": version_tasks.evaluate,
    "annotated-video": video_tasks.annotate_video,
    "export": export_tasks.export,
    "import": version_tasks.import_weights,
    "media-import": import_tasks.import_media,
    "training": run_tasks.train,
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
        "video": waiting_video(user),
        "training": run,
        "check": dataset,
        "evaluation": evaluation,
        "annotated-video": Export.objects.create(owner=user, format="mp4"),
        "export": Export.objects.create(owner=user, format="csv"),
        "import": ModelImport.objects.create(name="theirs.npz"),
        "media-import": MediaImport.objects.create(owner=user, source="/photos"),
    }


@pytest.mark.parametrize("name", TASKS)
def test_a_kind_names_the_queue_of_its_task(name):
    route = current_app.amqp.router.route({}, TASKS[name].name)

    assert route["queue"].name == KINDS[name].queue


def test_every_kind_has_a_task():
    assert set(KINDS) == set(TASKS)


def test_parts_of_jobs_are_not_shown():
    assert "video-part" in PARTS
    assert not PARTS.keys() & KINDS.keys()


@pytest.mark.parametrize("name", KINDS)
def test_a_job_that_waits_is_canceled_and_can_be_tried_again(each, name):
    kind, job = KINDS[name], each[name]
    assert work.cancel(job)
    assert kind.model.objects.get(pk=job.pk).status == Status.CANCELED
    assert not work.cancel(job)

    assert kind.described().get(pk=job.pk).can_retry
    assert work.retry(job)
    assert kind.model.objects.get(pk=job.pk).status == Status.QUEUED
    assert not work.retry(job)


@pytest.mark.parametrize("name", ["check", "evaluation", "import"])
def test_what_is_canceled_while_it_runs_changes_nothing_any_more(each, name, monkeypatch):
    kind, job = KINDS[name], each[name]
    module, function, run = {
        "check": (checks, "inspect", dataset_tasks.check_dataset),
        "evaluation": (evaluations, "load", version_tasks.evaluate),
        "import": (imports, "follow", version_tasks.import_weights),
    }[name]

    def cancel_meanwhile(*args, **options):
        assert work.cancel(kind.model.objects.get(pk=job.pk))
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

    assert work.retry_failed(KINDS["analysis"], "gave_up") == 1
    queued = Analysis.objects.get(status=Status.QUEUED)
    assert (queued.pk, queued.error_code) == (kept.pk, "")


def test_so_many_at_once_and_the_rest_the_next_time(user, astronaut, monkeypatch):
    monkeypatch.setattr(work, "MOST_AT_ONCE", 2)
    for _ in range(3):
        submit(user, astronaut)
    Analysis.objects.update(status=Status.FAILED, error_code="gave_up")

    tried = [work.retry_failed(KINDS["analysis"], "gave_up") for _ in range(3)]
    assert tried == [2, 1, 0]


def test_a_webcam_session_that_is_kept_just_now_is_no_job(user):
    recorder = recordings.Recorder(user.pk, 0.0)
    recorder.note([tracked(1)], 0.1, (640, 480), registry.active_version().number)

    assert Analysis.objects.get().status == Status.RUNNING
    assert not KINDS["analysis"].jobs().exists()


@pytest.mark.parametrize("name", KINDS)
def test_nothing_of_a_paused_queue_begins(each, name, admin):
    kind, job = KINDS[name], each[name]
    work.pause(kind.queue, admin)
    if name == "training":
        assert not runs.run_next()
    else:
        TASKS[name](str(job.pk))

    assert kind.model.objects.get(pk=job.pk).status == Status.QUEUED


def test_the_sweeper_sends_nothing_to_paused_queues_and_all_once_they_are_resumed(
    each, admin, monkeypatch
):
    sent: list[str] = []
    for name, task in TASKS.items():
        monkeypatch.setattr(task, "delay", lambda *key, name=name: sent.append(name))
    for module in (work, run_tasks):
        monkeypatch.setattr(module, "queue_length", lambda queue: 0)
    for queue in pausable_queues():
        work.pause(queue, admin)
    for kind in KINDS.values():
        kind.model.objects.update(enqueued_at=timezone.now() - timedelta(hours=3))
    work.sweep_all()
    assert sent == []

    for queue in pausable_queues():
        work.resume(queue, admin, list)
    work.sweep_all()
    assert sorted(sent) == sorted(TASKS)


@pytest.mark.django_db(transaction=True)
def test_a_paused_training_queue_outlasts_a_restart_of_its_worker(
    training_worker, admin, dataset, settings
):
    first = training_worker(MIEN_TEST_EPOCH="0.3")
    running = started(admin, dataset, epochs=5)
    wait_until(lambda: status_of(running) == Status.RUNNING, "the training to begin")
    work.pause("training", admin)
    waiting = started(admin, dataset, epochs=2)
    wait_until(lambda: status_of(running) == Status.SUCCEEDED, "what runs to end", 60)
    first.kill()
    training_worker()
    for _ in range(4):
        work.sweep_all()
        time.sleep(0.5)
    assert status_of(waiting) == Status.QUEUED

    work.resume("training", admin, list)
    work.sweep_all()
    wait_until(lambda: status_of(waiting) == Status.SUCCEEDED, "the training that waited", 60)
