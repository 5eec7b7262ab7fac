"""With which precision a machine trains fastest."""

from dataclasses import replace
from pathlib import Path

from .config import TrainingConfig

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
