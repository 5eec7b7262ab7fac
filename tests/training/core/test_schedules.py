"""The learning rate rises, and then goes as it is asked to."""

import itertools

import pytest

from training.core.schedules import SCHEDULES, learning_rate

SHARES = [number / 100 for number in range(101)]


def rates(schedule: str, warmup: float = 0.1) -> list[float]:
    return [learning_rate(schedule, 0.02, warmup, share) for share in SHARES]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_it_rises_in_a_line_to_the_peak_and_never_above(schedule):
    found = rates(schedule)

    assert found[5] == pytest.approx(0.01)
    assert found[10] == pytest.approx(0.02)
    assert max(found) == pytest.approx(0.02)
    assert min(found) > 0
    assert all(after <= before for before, after in itertools.pairwise(found[10:]))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_without_a_warm_up_it_begins_at_the_peak(schedule):
    assert rates(schedule, warmup=0)[0] == pytest.approx(0.02)


def test_each_goes_its_way():
    assert rates("cosine", 0)[50] == pytest.approx(0.01)
    assert rates("cosine", 0)[100] == pytest.approx(0.02 / 1000)
    assert rates("constant", 0)[100] == 0.02
    found = [rates("steps", 0)[at] for at in (49, 50, 74, 75, 100)]
    assert found == pytest.approx([0.02, 0.002, 0.002, 0.0002, 0.0002])
