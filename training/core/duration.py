"""How long a run takes on a machine, and the precision that machine is fastest with.

Work is counted in faces: one unit is one face at 48 pixels, forward and backward.
"""

from dataclasses import replace
from pathlib import Path

from recognition.engine.align import SIDE

from .config import TrainingConfig

ONE_SIDE = ("simple_cnn", "mini_xception")
"""Networks that need 48-pixel faces and ignore the side of a stage."""

EVALUATED_PER_SECOND = {
    "se_resnet": 300,
    "se_resnet_wide": 80,
    "simple_cnn": 450,
    "mini_xception": 3000,
}
"""Faces per second in ONNX Runtime on one thread of an average processor."""


def cost(config: TrainingConfig, side: int) -> float:
    """The work of one face at `side` pixels. Convolutions cost in proportion to the area."""
    return 1.0 if config.architecture in ONE_SIDE else (side / SIDE) ** 2


def work_until(config: TrainingConfig, progress: float) -> float:
    """Work per face up to `progress` (0 to 1), as a share of a run fed at 48 pixels throughout."""
    ends = [start for start, _side, _strength in config.stages[1:]] + [1.0]
    return sum(
        max(0.0, min(end, progress) - start) * cost(config, side)
        for (start, side, _strength), end in zip(config.stages, ends, strict=True)
    )


def share_done(config: TrainingConfig, progress: float) -> float:
    """The share of a run's work that is done after a share of its steps (both 0 to 1)."""
    return work_until(config, progress) / work_until(config, 1.0)


def training_seconds(config: TrainingConfig, rows: int, faces_per_second: float) -> float:
    """Seconds that `fit` takes with `rows` faces per epoch at this speed."""
    if config.minutes is not None:
        return config.minutes * 60
    return config.epochs * rows * work_until(config, 1.0) / faces_per_second


def evaluation_seconds(config: TrainingConfig, training: int, tested: int) -> float:
    """Seconds for the final figures.

    The validation part is read twice, to calibrate and to score; the test splits once.
    """
    faces = 2 * config.validation * training + tested
    return faces / EVALUATED_PER_SECOND[config.architecture]


AUTO = "auto"
NATIVE = {"avx512_bf16", "amx_bf16", "bf16"}
"""Linux's names for bfloat16 support in a processor; the last is ARM's."""


def fastest(proc: Path = Path("/proc")) -> str:
    """mixed_bfloat16 if the machine supports it in hardware, else float32.

    Emulated bfloat16 takes several times as long as float32.
    """
    if (proc / "driver/nvidia/version").exists():
        return "mixed_bfloat16"
    try:
        words = set((proc / "cpuinfo").read_text().split())
    except OSError:
        words = set()
    return "mixed_bfloat16" if words & NATIVE else "float32"


def settled(config: TrainingConfig) -> TrainingConfig:
    """The config with its precision chosen for this machine if it is `AUTO`."""
    return replace(config, precision=fastest()) if config.precision == AUTO else config
