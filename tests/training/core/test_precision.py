"""The precision follows from what the machine can do."""

import pytest

from training.core import precision
from training.core.config import TrainingConfig
from training.core.precision import fastest, settled


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
    monkeypatch.setattr(precision, "fastest", lambda: "float32")

    assert settled(TrainingConfig(precision=asked)).precision == used
