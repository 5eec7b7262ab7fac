"""Expressions over time: episodes, also where samples come unevenly."""

import numpy as np
import pytest

from recognition.engine.timeline import episodes


def spans(times, values) -> list[tuple[float, float]]:
    return [(span.start, span.end) for span in episodes(np.array(times), np.array(values), 0.5)]


def test_an_episode_lasts_while_the_value_is_high():
    times = np.arange(10) / 5
    values = [0.9, 0.9, 0.1, 0.2, 0.8, 0.8, 0.8, 0.1, 0.1, 0.6]
    assert spans(times, values) == [(0.0, 0.4), (0.8, 1.4), (1.8, 2.0)]


def test_live_frames_that_come_unevenly_are_one_episode():
    times = [0.0, 0.05, 0.1, 0.15, 0.6, 0.65, 1.4, 1.45]
    assert spans(times, [0.9] * 8) == [(0.0, pytest.approx(1.5))]


@pytest.mark.parametrize(("step", "pause"), [(0.2, 1.4), (5.0, 15.0)])
def test_a_pause_ends_an_episode(step, pause):
    times = [0.0, step, 2 * step, 2 * step + pause, 3 * step + pause]
    assert len(spans(times, [0.9] * 5)) == 2
