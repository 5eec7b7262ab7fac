"""Tracebacks are stored for administrators; owners and others don't see them."""

import json
from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from recognition import describe
from recognition.jobs import tracebacks, work
from recognition.models import Analysis, Delivery, Webhook
from recognition.photos import analyses
from recognition.photos import tasks as photo_tasks
from tests.recognition.jobs.sweeping import claim, sweep
from tests.recognition.uploads import submit

pytestmark = pytest.mark.django_db

SECRET = "the disk said no"


def caught(function, *args) -> BaseException:
    try:
        function(*args)
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def fail_deeply() -> None:
    try:
        int("x")
    except ValueError as error:
        raise OSError("and then this") from error


def test_it_tells_the_whole_chain_and_ends_with_the_last():
    text = tracebacks.describe(caught(fail_deeply))

    assert text.index("ValueError: invalid literal") < text.index("OSError: and then this")
    assert "in fail_deeply" in text
    assert text.endswith("OSError: and then this")


def test_of_what_a_database_says_only_the_first_line_is_kept():
    def insert():
        raise IntegrityError("null value in a column\nDETAIL:  Failing row contains (my title).")

    text = tracebacks.describe(caught(insert))
    assert text.endswith("IntegrityError: null value in a column")


def test_it_is_bounded_and_keeps_the_end():
    def deeper(levels: int) -> None:
        raise ValueError("x" * 10_000 + "the end")

    text = tracebacks.describe(caught(deeper, 1))
    assert len(text) == tracebacks.MOST
    assert text.endswith("the end")


@pytest.fixture
def broken(user, astronaut, monkeypatch) -> Analysis:
    """An analysis that failed three times."""

    def break_off(analysis):
        raise OSError(SECRET)

    monkeypatch.setattr(analyses, "analyze_source", break_off)
    Webhook.objects.create(owner=user, url="https://example.org/")
    analysis = submit(user, astronaut, "my holiday.jpg")
    for _ in range(3):
        photo_tasks.analyze(str(analysis.pk))
    analysis.refresh_from_db()
    return analysis


def test_an_analysis_that_broke_off_keeps_its_last_traceback(broken):
    assert broken.error_code == "gave_up"
    assert broken.traceback.endswith(f"OSError: {SECRET}")
    assert "in run" in broken.traceback
    assert "holiday" not in broken.traceback


def test_its_owner_sees_none_of_it(broken, signed_in):
    pages = ["/", "/analyses/", f"/analyses/{broken.pk}/"]
    pages += ["/api/v1/analyses/", f"/api/v1/analyses/{broken.pk}/"]
    told = [signed_in.get(page).content.decode() for page in pages]
    told += [
        json.dumps(describe.describe_analysis(broken)),
        json.dumps(Delivery.objects.get().body),
    ]
    assert not [text for text in told if SECRET in text or "traceback" in text.lower()]


def test_a_photo_that_cannot_be_read_has_a_reason_and_no_traceback(user, astronaut):
    analysis = submit(user, astronaut[: len(astronaut) // 2])
    photo_tasks.analyze(str(analysis.pk))
    analysis.refresh_from_db()

    assert analysis.error_code
    assert analysis.traceback == ""


def test_a_lost_worker_leaves_the_traceback_of_the_attempt_before(broken):
    Analysis.objects.filter(pk=broken.pk).update(
        status="running", attempts=2, lease_expires_at=timezone.now() - timedelta(seconds=1)
    )
    sweep("analysis")
    broken.refresh_from_db()

    assert broken.status == "queued"
    assert SECRET in broken.traceback


def test_a_retry_begins_without_one(broken):
    assert work.retry(broken)
    assert broken.traceback == ""


def test_a_job_says_which_process_has_it(user, astronaut):
    analysis = submit(user, astronaut)
    claimed = claim(analysis)
    host, _, pid = claimed.worker.rpartition(":")

    assert host
    assert pid.isdecimal()
