"""The jobs overview: from the database, Redis and a real worker."""

import json
import os
import socket
from datetime import timedelta

import pytest
from django.utils import timezone

from recognition.jobs import overview as job_overview
from recognition.jobs import work, workers
from recognition.jobs.lease import Status
from recognition.models import Analysis, Export
from recognition.photos.tasks import enqueue
from tests.processes import wait_until
from tests.recognition.jobs.sweeping import claim
from tests.recognition.uploads import submit
from tests.training.conftest import started
from training.models import TrainingRun

pytestmark = pytest.mark.django_db


def queue(name: str) -> job_overview.QueueState:
    return job_overview.describe_queue(name)


def the_worker() -> job_overview.WorkerState:
    """The only worker; waits longer than a page would, because machines may be busy."""
    wait_until(lambda: job_overview.describe_workers()["workers"], "the worker to answer")
    (worker,) = job_overview.describe_workers()["workers"]
    return worker


@pytest.fixture
def photo(user, astronaut) -> Analysis:
    return submit(user, astronaut, "my holiday.jpg")


def test_every_queue_is_there_and_those_without_jobs_cannot_be_paused():
    pausable = {one["name"]: one["pausable"] for one in job_overview.describe_queues(None)}

    assert (pausable.pop("frames"), pausable.pop("webhooks")) == (False, False)
    assert pausable == dict.fromkeys(
        ["analyses", "exports", "maintenance", "training", "videos"], True
    )


def test_a_queue_counts_what_waits_and_runs_and_says_since_when(
    user, astronaut, photo, redis_server
):
    redis_server.client.flushdb()
    enqueue(str(photo.pk))
    submit(user, astronaut)
    long_ago = timezone.now() - timedelta(hours=2)
    Analysis.objects.filter(pk=photo.pk).update(waiting_since=long_ago)
    running = claim(submit(user, astronaut))
    state = queue("analyses")

    assert (state["queued"], state["running"], state["messages"]) == (2, 1, 1)
    assert state["oldest_queued_at"] == long_ago.isoformat()
    assert state["oldest_running_at"] == running.started_at.isoformat()
    assert queue("training")["queued"] == 0


def test_jobs_of_all_kinds_are_in_one_list_the_oldest_first(admin, dataset, photo):
    run = started(admin, dataset)
    waiting = job_overview.describe_all()["waiting"]

    assert [(job["kind"], job["id"]) for job in waiting] == [
        ("analysis", str(photo.pk)),
        ("training", str(run.pk)),
    ]
    assert waiting[1]["url"] == f"/training/runs/{run.pk}/"
    assert waiting[1]["name"] == str(run)


def test_of_a_photo_whose_it_is_but_neither_title_nor_picture(photo, user):
    Analysis.objects.update(notes="in Rome", tags=["Rome"], photo="photos/x.jpg")
    overview = job_overview.describe_all()
    (job,) = overview["waiting"]

    assert (job["person"], job["name"], job["url"]) == (user.email, None, None)
    assert not [word for word in ("holiday", "Rome", "photos/") if word in json.dumps(overview)]


def test_failures_have_reason_and_traceback_the_latest_first(photo, admin, dataset):
    run = started(admin, dataset)
    values = {"status": Status.FAILED, "traceback": "OSError: full", "error_code": "gave_up"}
    values |= {"error_message": "It broke off."}
    Analysis.objects.update(finished_at=timezone.now() - timedelta(hours=1), **values)
    TrainingRun.objects.update(finished_at=timezone.now(), **values)
    overview = job_overview.describe_all()

    assert [job["id"] for job in overview["failures"]] == [str(run.pk), str(photo.pk)]
    assert overview["failures"][1]["error"] == {"code": "gave_up", "message": "It broke off."}
    assert overview["failures"][1]["traceback"] == "OSError: full"
    assert overview["failures"][1]["retryable"]
    assert {"kind": "analysis", "code": "gave_up", "count": 1, "retryable": 1} in overview["failed"]


def test_what_failed_without_an_upload_cannot_be_tried_again(photo):
    Analysis.objects.update(status=Status.FAILED, error_code="truncated", source="")
    overview = job_overview.describe_all()

    assert not overview["failures"][0]["retryable"]
    assert (overview["failed"][0]["count"], overview["failed"][0]["retryable"]) == (1, 0)


def test_a_job_whose_worker_is_silent_says_so(photo):
    claim(photo)
    assert not job_overview.describe_all()["running"][0]["silent"]
    Analysis.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))

    assert job_overview.describe_all()["running"][0]["silent"]


def test_without_redis_it_tells_what_the_database_knows(photo, redis_server):
    redis_server.stop()
    try:
        overview, workers = job_overview.describe_all(), job_overview.describe_workers()
    finally:
        redis_server.start()

    assert not overview["reachable"]
    assert not workers["reachable"]
    state = next(one for one in overview["queues"] if one["name"] == "analyses")
    assert (state["messages"], state["queued"]) == (None, 1)
    assert [job["id"] for job in overview["waiting"]] == [str(photo.pk)]


def test_a_pause_says_who_did_it(admin):
    work.pause("training", admin)
    state = queue("training")

    assert (state["paused"], state["changed_by"]) == (True, admin.email)


def test_a_process_that_does_not_answer_is_known_by_its_job(admin, dataset):
    started(admin, dataset)
    TrainingRun.objects.update(status=Status.RUNNING, worker="host-b:12", started_at=timezone.now())
    found = job_overview.describe_workers()

    (worker,) = found["workers"]
    assert (worker["name"], worker["host"], worker["pid"]) == (None, "host-b", 12)
    assert (worker["answers"], worker["queues"]) == (False, ["training"])
    assert worker["work"][0]["job"]["kind"] == "training"
    assert found["consumers"]["training"] == 1


def test_a_job_is_shown_at_its_own_task_where_threads_share_a_process(user, monkeypatch):
    values = {"status": Status.RUNNING, "worker": "host-b:12", "started_at": timezone.now()}
    export = Export.objects.create(owner=user, format="csv", **values)
    tasks = [
        {"name": f"recognition.tasks.{name}", "pid": 12, "since": None}
        for name in ("deliver", "export")
    ]
    answer = {"name": "exports@host-b", "host": "host-b", "pid": 12, "tasks": tasks}
    answer |= {"queues": ["exports", "webhooks"], "processes": [12]}
    monkeypatch.setattr(workers, "ask_workers", lambda: [answer])
    (worker,) = job_overview.describe_workers()["workers"]

    assert [work["job"] and work["job"]["id"] for work in worker["work"]] == [None, str(export.pk)]


@pytest.mark.django_db(transaction=True)
def test_a_worker_of_one_process_answers_while_it_is_idle(training_worker):
    pid = training_worker().popen.pid
    idle = the_worker()

    assert (idle["pid"], idle["queues"], idle["work"]) == (pid, ["training"], [])


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_says_what_it_does(worker, user, astronaut):
    process = worker(MIEN_TEST_PAUSE="30")
    idle = the_worker()
    assert (idle["pid"], idle["work"]) == (process.popen.pid, [])
    assert (idle["host"], idle["queues"]) == (
        socket.gethostname(),
        ["analyses", "exports", "maintenance"],
    )

    photo = submit(user, astronaut)
    wait_until(lambda: Analysis.objects.get().status == Status.RUNNING, "the worker to begin")
    wait_until(
        lambda: any(one["answers"] for one in job_overview.describe_workers()["workers"]),
        "the worker to answer",
    )
    found = job_overview.describe_workers()
    (busy,) = found["workers"]
    (work,) = busy["work"]
    assert (work["task"], work["job"]["id"]) == ("recognition.tasks.analyze", str(photo.pk))
    assert work["pid"] not in (None, os.getpid(), busy["pid"])
    assert work["since"] is not None
    assert found["consumers"]["analyses"] == 1
    assert "args" not in json.dumps(found)
