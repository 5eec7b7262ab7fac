"""A promotion reaches busy workers: nothing fails, and every result names its version."""

import itertools
from collections import defaultdict

import pytest
from django.utils import timezone

from recognition.models import Analysis
from recognition.registry import registry
from tests.processes import wait_until
from tests.recognition.networks import shipped_card, shipped_twin
from tests.recognition.uploads import submit
from tests.recognition.versions import damage

Status = Analysis.Status

pytestmark = pytest.mark.slow


def finished(count: int) -> bool:
    return Analysis.objects.exclude(status__in=[Status.QUEUED, Status.RUNNING]).count() >= count


def numbers(**conditions) -> set[int]:
    found = Analysis.objects.filter(**conditions)
    return set(found.values_list("model_version__number", flat=True))


def versions_by_worker() -> dict[str, list[int]]:
    """The versions that each worker used one after the other."""
    rows = Analysis.objects.order_by("started_at")
    used = defaultdict(list)
    for worker, number in rows.values_list("worker", "model_version__number"):
        used[worker].append(number)
    return {
        worker: [number for number, _uses in itertools.groupby(found)]
        for worker, found in used.items()
    }


def test_two_workers_switch_in_the_middle_of_uploads_without_a_failure(worker, user, astronaut):
    registry.register_shipped_model()
    second = registry.register(shipped_twin("the same once more"), shipped_card())
    worker()
    worker()
    for _photo in range(20):
        submit(user, astronaut)
    wait_until(lambda: finished(6), "the first results")
    before = timezone.now()
    registry.promote(second)
    after = timezone.now()
    for _photo in range(20):
        submit(user, astronaut)
    wait_until(lambda: finished(40), "all results", seconds=90)

    assert set(Analysis.objects.values_list("status", flat=True)) == {Status.SUCCEEDED}
    assert numbers(finished_at__lt=before) == {1}
    assert numbers(started_at__gt=after) == {2}
    by_worker = versions_by_worker()
    assert len(by_worker) == 2
    for switched in by_worker.values():
        assert switched in ([1, 2], [2])  # once, and never back
    assert [1, 2] in by_worker.values()


def test_a_version_that_workers_cannot_load_fails_no_job(worker, user, astronaut):
    registry.register_shipped_model()
    second = registry.register(shipped_twin("soon damaged"), shipped_card())
    process = worker()
    submit(user, astronaut)
    wait_until(lambda: finished(1), "the first result")
    registry.promote(second)
    damage(second)
    submit(user, astronaut)
    wait_until(lambda: finished(2), "the second result")

    assert set(Analysis.objects.values_list("status", flat=True)) == {Status.SUCCEEDED}
    assert numbers() == {1}
    assert b"can't be loaded; version 1 (se_resnet) stays active" in process.log.read_bytes()
