"""A config survives the way through JSON, and refuses what cannot work."""

import json

import pytest

from training.core.config import PRESETS, TrainingConfig


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
