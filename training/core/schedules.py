"""How the learning rate goes over a run: it rises first, and then as the config says."""

import math
from collections.abc import Callable


def cosine(progress: float) -> float:
    """Half a cosine down (Loshchilov & Hutter 2017, arXiv 1608.03983).

    Never quite zero: where the clock rules, the last epoch may end a little late.
    """
    return max(0.5 * (1 + math.cos(math.pi * progress)), 0.001)


def steps(progress: float) -> float:
    """A tenth after half of the run, and again after three quarters (as He et al. 2016 do)."""
    return 1.0 if progress < 0.5 else 0.1 if progress < 0.75 else 0.01


def constant(progress: float) -> float:
    """The same all along."""
    return 1.0


SCHEDULES: dict[str, Callable[[float], float]] = {
    "cosine": cosine,
    "steps": steps,
    "constant": constant,
}
"""From the share of the run after the warm-up that is done, 0 to 1, to a share of the peak."""


def learning_rate(schedule: str, peak: float, warmup: float, progress: float) -> float:
    """The learning rate at a share of the run, 0 to 1: a line up, then the schedule."""
    if progress < warmup:
        return peak * max(progress / warmup, 0.01)
    return peak * SCHEDULES[schedule](min(1.0, (progress - warmup) / (1 - warmup)))
