"""Real workers and a real Redis: crashes and restarts lose nothing."""

import os
import signal
import time
from datetime import timedelta

import psutil
from django.utils import timezone

from recognition.jobs import broker, pauses
from recognition.jobs import tasks as job_tasks
from recognition.models import Analysis
from recognition.photos import tasks as photo_tasks
from tests.processes import wait_until
from tests.recognition.uploads import submit

Status = Analysis.Status


def status_of(analysis: Analysis) -> str:
    return Analysis.objects.values_list("status", flat=True).get(pk=analysis.pk)


def attempts_of(analysis: Analysis) -> int:
    return Analysis.objects.values_list("attempts", flat=True).get(pk=analysis.pk)


def sweep_until(analysis: Analysis, status: str) -> None:
    """Run the sweeper every few seconds, like beat, until the row has the status."""

    def swept() -> bool:
        job_tasks.requeue_stale.delay()
        return status_of(analysis) == status

    wait_until(swept, f"{status}, it is {status_of(analysis)}", seconds=60)


def test_a_worker_analyzes_what_is_uploaded(worker, user, astronaut):
    worker()
    analysis = submit(user, astronaut)

    wait_until(lambda: status_of(analysis) == Status.SUCCEEDED, "the result")
    assert analysis.faces.count() == 1


def test_a_bad_photo_does_not_hold_up_the_others(worker, user, astronaut):
    worker()
    bad = submit(user, astronaut[: len(astronaut) // 2])
    good = submit(user, astronaut)

    wait_until(lambda: status_of(good) == Status.SUCCEEDED, "the good photo")
    wait_until(lambda: status_of(bad) == Status.FAILED, "the bad photo")


def test_neither_bad_photos_nor_one_that_kills_its_worker_hold_up_the_others(
    worker, user, astronaut
):
    worker(MIEN_TEST_PAUSE="kill killer.jpg")
    good = [submit(user, astronaut)]
    killer = submit(user, astronaut, "killer.jpg")
    bad = submit(user, astronaut[: len(astronaut) // 2])
    good += [submit(user, astronaut) for _ in range(3)]

    sweep_until(killer, Status.FAILED)
    assert {status_of(one) for one in good} == {Status.SUCCEEDED}
    assert status_of(bad) == Status.FAILED
    killer.refresh_from_db()
    assert (killer.attempts, killer.error_code) == (3, "gave_up")


def test_a_paused_queue_waits_whatever_restarts_and_is_drained_once_it_is_resumed(
    worker, user, astronaut, redis_server
):
    first = worker(MIEN_TEST_PAUSE="2")
    running = submit(user, astronaut)
    wait_until(lambda: status_of(running) == Status.RUNNING, "the worker to begin")
    pauses.switch("analyses", True, user)
    waiting = [submit(user, astronaut) for _ in range(3)]
    wait_until(lambda: status_of(running) == Status.SUCCEEDED, "what runs to end")
    wait_until(lambda: broker.queue_length("analyses") == 0, "the worker to drop the messages")
    first.kill()
    redis_server.stop()
    redis_server.start()
    worker()
    waiting.append(submit(user, astronaut))
    Analysis.objects.update(enqueued_at=timezone.now() - timedelta(minutes=5))
    for _ in range(3):
        job_tasks.requeue_stale()
        time.sleep(0.5)

    assert broker.queue_length("analyses") == 0  # the sweeper sends no more messages
    assert [(status_of(one), attempts_of(one)) for one in waiting] == [(Status.QUEUED, 0)] * 4

    pauses.switch("analyses", False, user)
    job_tasks.requeue_stale()
    for one in waiting:
        wait_until(lambda one=one: status_of(one) == Status.SUCCEEDED, "the result")
        assert attempts_of(one) == 1


def test_a_worker_killed_in_the_middle_loses_nothing(worker, user, astronaut):
    first = worker(MIEN_TEST_PAUSE="30")
    analysis = submit(user, astronaut)
    wait_until(lambda: status_of(analysis) == Status.RUNNING, "the worker to begin")
    first.kill()
    worker()

    sweep_until(analysis, Status.SUCCEEDED)
    analysis.refresh_from_db()
    assert (analysis.attempts, analysis.faces.count()) == (2, 1)


def test_a_child_killed_in_the_middle_loses_nothing(worker, user, astronaut):
    process = worker(MIEN_TEST_PAUSE="4")
    analysis = submit(user, astronaut)
    wait_until(lambda: status_of(analysis) == Status.RUNNING, "the worker to begin")
    for child in psutil.Process(process.popen.pid).children():
        os.kill(child.pid, signal.SIGKILL)

    sweep_until(analysis, Status.SUCCEEDED)
    assert analysis.faces.count() == 1


def test_a_photo_that_always_kills_its_worker_fails_after_three_attempts(worker, user, astronaut):
    process = worker(MIEN_TEST_PAUSE="kill")
    analysis = submit(user, astronaut)

    sweep_until(analysis, Status.FAILED)
    analysis.refresh_from_db()
    assert (analysis.attempts, analysis.error_code) == (3, "gave_up")
    assert process.popen.poll() is None


def test_a_photo_that_hangs_its_worker_is_given_up_in_the_end(worker, user, astronaut, monkeypatch):
    def delay(pk: str) -> None:
        photo_tasks.analyze.apply_async((pk,), time_limit=2)

    monkeypatch.setattr(photo_tasks.analyze, "delay", delay)  # the sender's limit is passed on
    worker(MIEN_TEST_PAUSE="600", MIEN_ANALYSIS_SECONDS="2")
    analysis = submit(user, astronaut)

    sweep_until(analysis, Status.FAILED)
    analysis.refresh_from_db()
    assert (analysis.attempts, analysis.error_code) == (3, "gave_up")


def test_what_kills_its_decoder_fails_alone_and_at_once(worker, user, astronaut):
    """The worker, and the photos that wait behind it, notice nothing."""
    process = worker(
        MIEN_TEST_DECODER="tests.recognition.hostile_decoder", MIEN_ANALYSIS_SECONDS="4"
    )
    codes = {"crash": "decoder_crashed", "loop": "decoding_timed_out"}
    codes |= {"allocate": "photo_too_large", "socket": "refused", "liar": "decoder_crashed"}
    hostile = {word: submit(user, astronaut + b"\0hostile:" + word.encode()) for word in codes}
    good = submit(user, astronaut)

    sweep_until(good, Status.SUCCEEDED)
    for word, analysis in hostile.items():
        sweep_until(analysis, Status.FAILED)
        analysis.refresh_from_db()
        assert (analysis.error_code, analysis.attempts) == (codes[word], 1)
        assert not analysis.source
    assert process.popen.poll() is None
    assert good.faces.count() == 1


def test_a_broker_restart_loses_nothing(worker, user, astronaut, redis_server):
    worker()
    waiting = submit(user, astronaut)
    redis_server.stop()  # without saving: every message is gone
    meanwhile = submit(user, astronaut)
    redis_server.start()
    Analysis.objects.filter(status=Status.QUEUED).update(
        enqueued_at=timezone.now() - timedelta(minutes=1)
    )

    sweep_until(waiting, Status.SUCCEEDED)
    sweep_until(meanwhile, Status.SUCCEEDED)
    assert Analysis.objects.filter(faces__isnull=False).distinct().count() == 2


def test_workers_do_not_import_tensorflow(worker, user, astronaut):
    process = worker()
    analysis = submit(user, astronaut)
    wait_until(lambda: status_of(analysis) == Status.SUCCEEDED, "the result")

    parent = psutil.Process(process.popen.pid)
    for one in [parent, *parent.children(recursive=True)]:
        assert not any("/tensorflow/" in mapped.path for mapped in one.memory_maps())
