"""How long a run takes follows from its work, and its precision from the machine."""

import pytest

from training.core.config import ARCHITECTURES, TrainingConfig
from training.core.duration import (
    EVALUATED_PER_SECOND,
    evaluation_seconds,
    fastest,
    settled,
    share_done,
    training_seconds,
)

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


@pytest.mark.parametrize(
    ("text", "precision"),
    [
        ("flags\t\t: fpu avx2 avx512_bf16 sse", "mixed_bfloat16"),
        ("flags\t\t: fpu amx_bf16 amx_tile", "mixed_bfloat16"),
        ("Features\t: fp asimd bf16", "mixed_bfloat16"),
        ("flags\t\t: fpu avx avx2 fma", "float32"),
        ("", "float32"),
    ],
)
def test_bfloat16_is_taken_where_the_processor_computes_in_it(tmp_path, text, precision):
    (tmp_path / "cpuinfo").write_text(text)

    assert fastest(tmp_path) == precision


def test_an_accelerator_computes_in_it(tmp_path):
    (tmp_path / "driver/nvidia").mkdir(parents=True)
    (tmp_path / "driver/nvidia/version").touch()

    assert fastest(tmp_path) == "mixed_bfloat16"


def test_a_system_that_says_nothing_trains_in_float32(tmp_path):
    assert fastest(tmp_path) == "float32"


@pytest.mark.parametrize(("asked", "used"), [("auto", "float32"), ("bfloat16", "bfloat16")])
def test_only_what_is_left_open_is_settled(monkeypatch, asked, used):
    monkeypatch.setattr("training.core.duration.fastest", lambda: "float32")

    assert settled(TrainingConfig(precision=asked)).precision == used
