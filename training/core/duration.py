"""How long a training takes: its work in faces, given how many of them the machine does a second.

One unit of work is one face at 48 pixels, forward and backward.
"""

from dataclasses import replace
from pathlib import Path

from recognition.engine.align import SIDE

from .config import TrainingConfig

ONE_SIDE = ("simple_cnn", "mini_xception")
"""Networks that take all frames at 48 pixels, whatever the stage says."""

EVALUATED_PER_SECOND = {
    "se_resnet": 300,
    "se_resnet_wide": 80,
    "simple_cnn": 450,
    "mini_xception": 3000,
}
"""Faces that a network reads on one thread of a middling processor, in ONNX Runtime."""


def cost(config: TrainingConfig, side: int) -> float:
    """The work of one face at `side` pixels: convolutions cost by area."""
    return 1.0 if config.architecture in ONE_SIDE else (side / SIDE) ** 2


def work_until(config: TrainingConfig, progress: float) -> float:
    """The mean work of a face over the whole schedule, counted up to `progress` (0 to 1)."""
    ends = [start for start, _side, _strength in config.stages[1:]] + [1.0]
    return sum(
        max(0.0, min(end, progress) - start) * cost(config, side)
        for (start, side, _strength), end in zip(config.stages, ends, strict=True)
    )


def share_done(config: TrainingConfig, progress: float) -> float:
    """The share of a run's work that is done at a share of its steps, both 0 to 1."""
    return work_until(config, progress) / work_until(config, 1.0)


def training_seconds(config: TrainingConfig, rows: int, faces_per_second: float) -> float:
    """How long a fit on epochs of `rows` faces takes at this speed."""
    if config.minutes is not None:
        return config.minutes * 60
    return config.epochs * rows * work_until(config, 1.0) / faces_per_second


def evaluation_seconds(config: TrainingConfig, training: int, tested: int) -> float:
    """How long the figures at the end take: of the validation part twice, to calibrate and to
    score, of the test splits once."""
    faces = 2 * config.validation * training + tested
    return faces / EVALUATED_PER_SECOND[config.architecture]


AUTO = "auto"
NATIVE = {"avx512_bf16", "amx_bf16", "bf16"}
"""What Linux calls a processor's own bfloat16; the last is ARM's name."""


def fastest(proc: Path = Path("/proc")) -> str:
    """mixed_bfloat16 where the machine computes in it, float32 where it would only imitate it.

    Imitated, it takes several times as long.
    """
    if (proc / "driver/nvidia/version").exists():
        return "mixed_bfloat16"
    try:
        words = set((proc / "cpuinfo").read_text().split())
    except OSError:
        words = set()
    return "mixed_bfloat16" if words & NATIVE else "float32"


def settled(config: TrainingConfig) -> TrainingConfig:
    """The config with a precision for this machine, where it leaves that open."""
    return replace(config, precision=fastest()) if config.precision == AUTO else config
