"""Small frames take less of a run's time than of its steps."""

import pytest

from training.core.config import TrainingConfig
from training.core.duration import (
    EVALUATED_PER_SECOND,
    evaluation_seconds,
    share_done,
    training_seconds,
)
from training.core.names import ARCHITECTURES

STAGES = ((0.0, 24, 0.5), (0.5, 48, 0.5))


def test_half_the_steps_at_half_the_side_are_a_fifth_of_the_work():
    config = TrainingConfig(stages=STAGES)

    assert share_done(config, 0.5) == pytest.approx(0.2)
    assert share_done(config, 1.0) == 1


def test_a_network_with_one_side_takes_the_same_time_all_along():
    config = TrainingConfig(architecture="mini_xception", stages=STAGES)

    assert share_done(config, 0.5) == pytest.approx(0.5)


def test_the_duration_follows_from_work_and_speed():
    config = TrainingConfig(architecture="mini_xception", epochs=10)

    assert training_seconds(config, rows=1000, faces_per_second=100) == pytest.approx(100)


def test_the_figures_at_the_end_take_longer_with_a_slower_network():
    seconds = [
        evaluation_seconds(TrainingConfig(architecture=name, validation=0.1), 1000, 800)
        for name in ("se_resnet", "mini_xception")
    ]

    assert seconds[0] == pytest.approx(1000 / EVALUATED_PER_SECOND["se_resnet"])
    assert seconds[1] < seconds[0] / 5
    assert set(EVALUATED_PER_SECOND) == set(ARCHITECTURES)


def test_a_limit_in_minutes_is_the_duration():
    assert training_seconds(TrainingConfig(minutes=2), 1000, 1) == 120
