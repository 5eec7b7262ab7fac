"""A config survives JSON and refuses what can't work; the learning rate follows its schedule."""

import itertools
import json

import pytest

from training.core.config import PRESETS, SCHEDULES, TrainingConfig, learning_rate


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_it_survives_json(name):
    config = PRESETS[name]
    assert TrainingConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_it_names_an_unknown_option():
    with pytest.raises(ValueError, match="learning_speed"):
        TrainingConfig.from_dict({"learning_speed": 1})


@pytest.mark.parametrize(
    "values",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"minutes": 0},
        {"validation": 0},
        {"framed": 1.5},
        {"schedule": "upwards"},
        {"votes": 0.7, "smoothing": 0.3},
        {"optimizer": "lion"},
        {"mixed": -0.1},
        {"stages": ((0.5, 48, 1.0),)},
    ],
)
def test_it_refuses(values):
    with pytest.raises(ValueError, match="must"):
        TrainingConfig(**values)


def test_frames_grow_with_progress():
    config = TrainingConfig(stages=((0.0, 32, 1.0), (0.5, 48, 0.5)))
    sides = [config.stage_at(progress)[0] for progress in (0, 0.49, 0.5, 1)]
    assert sides == [32, 32, 48, 48]
    assert config.stage_at(1)[1] == 0.5


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
