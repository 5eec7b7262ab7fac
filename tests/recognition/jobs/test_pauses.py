"""Paused queues: nothing starts, nothing is lost, and everything resumes at once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from recognition.jobs import lease, pauses
from recognition.models import Analysis, QueueSwitch
from recognition.photos import tasks as photo_tasks
from tests.recognition.jobs.sweeping import claim, sweep
from tests.recognition.uploads import submit

pytestmark = pytest.mark.django_db

Status = Analysis.Status


@pytest.fixture
def queued(user, astronaut) -> Analysis:
    return submit(user, astronaut)


def age(analysis: Analysis, **passed) -> None:
    Analysis.objects.filter(pk=analysis.pk).update(enqueued_at=timezone.now() - timedelta(**passed))


def test_nothing_of_a_paused_queue_is_claimed(queued, user):
    pauses.switch("analyses", True, user)
    photo_tasks.analyze(str(queued.pk))
    queued.refresh_from_db()

    assert (queued.status, queued.attempts) == (Status.QUEUED, 0)
    assert not pauses.is_paused("training")


def test_what_runs_is_not_touched(queued, user):
    running = claim(queued)
    pauses.switch("analyses", True, user)

    assert lease.change(running, status=Status.SUCCEEDED)


def test_the_sweeper_lets_a_paused_queue_wait(queued, user):
    pauses.switch("analyses", True, user)
    age(queued, hours=3)

    assert sweep("analysis") == []


def test_what_lost_its_worker_waits_too(queued, user):
    claim(queued)
    pauses.switch("analyses", True, user)
    Analysis.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    sweep("analysis")
    queued.refresh_from_db()

    assert (queued.status, sweep("analysis")) == (Status.QUEUED, [])


def test_what_waited_is_due_at_once_when_the_queue_is_resumed_and_only_once(queued, user):
    pauses.switch("analyses", True, user)
    assert sweep("analysis") == []
    pauses.switch("analyses", False, user)

    assert sweep("analysis", waiting=5) == [str(queued.pk)]
    assert sweep("analysis") == []


def test_who_waited_longest_comes_first(user, astronaut):
    young, old = submit(user, astronaut), submit(user, astronaut)
    age(young, minutes=5)
    age(old, minutes=9)

    assert sweep("analysis") == [str(old.pk), str(young.pk)]


def test_only_a_change_is_one(user):
    switched = [pauses.switch("analyses", paused, user) for paused in (False, True, True, False)]

    assert switched == [False, True, False, True]
    assert QueueSwitch.objects.get().changed_by == user


def test_the_age_of_a_waiting_job_survives_the_sweeper(queued):
    age(queued, minutes=5)
    since = queued.waiting_since
    assert sweep("analysis") == [str(queued.pk)]
    queued.refresh_from_db()

    assert queued.waiting_since == since
