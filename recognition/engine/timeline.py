"""Arithmetic on expressions over time: smoothed, relative to a resting face, cut into spans."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .emotions import EMOTIONS

Floats = NDArray[np.float64]

SMOOTHING = 0.3  # seconds, as in live sessions
PAUSE = 1.0  # seconds after which averages start over, and episodes end
GAP = 1.5  # where samples are rarer, a pause of this many sampling steps ends an episode

# What a resting face reads as once it is the baseline: neutral, and the rest alike.
_RESTING = np.log([0.4 if emotion == "neutral" else 0.1 for emotion in EMOTIONS])


class Span(NamedTuple):
    """From `start` to `end` in seconds; `value` is what the span is about."""

    start: float
    end: float
    value: int = 0


def resting(raw: Floats) -> list[float]:
    """The mean log probabilities of a resting face's samples [n, 7]: a baseline."""
    return np.log(np.clip(raw, 1e-4, 1)).mean(axis=0).round(5).tolist()  # type: ignore[no-any-return]


def relative_to(raw: Floats, baseline: list[float] | None) -> Floats:
    """Probabilities [n, 7] relative to a resting face: its mean log probabilities are subtracted.

    At rest a face then reads as neutral. Without a baseline they are as they were.
    """
    if not baseline:
        return raw
    changed = np.log(np.clip(raw, 1e-4, 1)) - np.array(baseline) + _RESTING
    changed = np.exp(changed - changed.max(axis=1, keepdims=True))
    relative: Floats = changed / changed.sum(axis=1, keepdims=True)
    return relative


def smooth(times: Floats, values: Floats, seconds: float = SMOOTHING) -> Floats:
    """Running averages [n, 7] with this time constant; after a pause they start over."""
    if len(times) < 2 or seconds <= 0:
        return values
    steps = np.diff(times)
    weights = np.where(steps > PAUSE, 1.0, 1 - np.exp(-steps / seconds))
    smoothed = np.empty_like(values)
    smoothed[0] = values[0]
    for at, weight in enumerate(weights.tolist(), 1):
        smoothed[at] = weight * values[at] + (1 - weight) * smoothed[at - 1]
    return smoothed


def step_of(times: Floats) -> float:
    """The usual time between two samples in seconds."""
    return float(np.median(np.diff(times))) if len(times) > 1 else 0.0


def episodes(times: Floats, values: Floats, threshold: float) -> list[Span]:
    """The spans in which values [n] reach the threshold, in order."""
    above = np.flatnonzero(values >= threshold)
    return _spans(times, above, np.zeros(len(times), dtype=int))


def top_spans(times: Floats, values: Floats) -> list[Span]:
    """The spans in which the same of values [n, 7] is the highest; `value` is its place."""
    return _spans(times, np.arange(len(times)), values.argmax(axis=1))


def _spans(times: Floats, which: NDArray[np.intp], kinds: NDArray[np.int_]) -> list[Span]:
    if not len(which):
        return []
    step = step_of(times)
    late = np.diff(times[which]) > max(GAP * step, PAUSE)  # live frames come unevenly
    apart = (np.diff(which) > 1) | late | (np.diff(kinds[which]) != 0)
    firsts = which[np.concatenate([[True], apart])]
    lasts = which[np.concatenate([apart, [True]])]
    return [
        Span(round(float(times[first]), 3), round(float(times[last]) + step, 3), int(kinds[first]))
        for first, last in zip(firsts, lasts, strict=True)
    ]
