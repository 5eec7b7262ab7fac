"""A training's progress reports and early stopping."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from tests.training.drawing import make_faces
from training.core.config import TrainingConfig
from training.runs.reporter import Reporter

CONFIG = TrainingConfig(architecture="mini_xception", epochs=4, batch_size=16, validation=0.2)


@dataclass
class Epoch:
    """Stands in for training.core.checkpoint.Epoch."""

    number: int
    validation_accuracy: float
    seconds: float
    side: int = 48
    loss: float = 1.0


@dataclass
class Told:
    messages: list = field(default_factory=list)

    def __call__(self, message):
        self.messages.append(message)


@pytest.fixture
def clock(monkeypatch):
    """A fake clock."""
    now = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr("training.runs.reporter.time.monotonic", lambda: now.seconds)
    return now


def reporter(epochs=(), patience=None, config=CONFIG) -> Reporter:
    seconds = epochs[-1].seconds if epochs else 0.0
    progress = SimpleNamespace(epochs=list(epochs), seconds=seconds)
    return Reporter(config, make_faces(200), progress, patience, Told())


def run_epoch(one: Reporter, clock, epoch: Epoch) -> None:
    """Imitates fit: asks before the epoch and after each batch, then reports the epoch."""
    one.after_batch()
    for _ in range(one.batches):
        clock.seconds += 1
        one.after_batch()
    one.on_epoch(epoch)


def test_a_resumed_run_first_tells_of_the_epochs_that_it_has(clock):
    one = reporter([Epoch(1, 0.3, 10)])

    assert [epoch["number"] for epoch in one.say.messages[0]["epochs"]] == [1]


def test_it_tells_where_the_run_stands(clock):
    one = reporter()
    run_epoch(one, clock, Epoch(1, 0.3, 10))
    batches = [message for message in one.say.messages if message["type"] == "batch"]

    assert [message["batch"] for message in batches] == list(range(1, one.batches + 1))
    assert {message["epoch"] for message in batches} == {1}
    assert batches[-1]["share"] == pytest.approx(0.25)
    assert batches[-1]["faces_per_second"] == 16
    assert batches[-1]["seconds_left"] == pytest.approx(3 * one.batches)
    assert one.say.messages[-1]["type"] == "epochs"


def test_the_time_left_of_a_resumed_run_counts_from_where_it_resumed(clock):
    one = reporter([Epoch(1, 0.3, 10), Epoch(2, 0.4, 20)])
    run_epoch(one, clock, Epoch(3, 0.5, 30))
    last = [message for message in one.say.messages if message["type"] == "batch"][-1]

    assert last["epoch"] == 3
    assert last["seconds_left"] == pytest.approx(one.batches)


def test_with_a_limit_in_minutes_the_share_is_that_of_the_time(clock):
    config = TrainingConfig.from_dict(CONFIG.to_dict() | {"minutes": 1.0})
    one = reporter([Epoch(1, 0.3, 30)], config=config)
    clock.seconds += 15

    assert one.share(0) == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("accuracies", "stops"),
    [([0.3, 0.4, 0.5], False), ([0.5, 0.4, 0.3], True), ([0.5, 0.4, 0.5], True), ([], False)],
)
def test_it_stops_after_epochs_without_a_new_best(clock, accuracies, stops):
    epochs = [Epoch(number, accuracy, number) for number, accuracy in enumerate(accuracies, 1)]

    assert reporter(epochs, patience=2).after_batch() is stops
    assert reporter(epochs).after_batch() is False


def test_the_speed_is_that_of_the_epochs_of_this_process(clock):
    one = reporter([Epoch(1, 0.3, 10)])
    assert one.speed() is None
    run_epoch(one, clock, Epoch(2, 0.4, 14))

    assert one.speed() == pytest.approx(one.batches * 16 / 4, abs=0.1)
