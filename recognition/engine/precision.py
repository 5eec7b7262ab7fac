"""In which numbers a network computes: float32, or int8 where this processor is faster with it.

An int8 network answers nearly the same (docs/model-card.md), in half the time on processors with
VNNI or its like.
"""

import logging
import time
from functools import cache
from statistics import median

import numpy as np

from .align import SIDE
from .classifier import SHIPPED_INT8, SHIPPED_MODEL, EmotionClassifier

logger = logging.getLogger(__name__)

AUTO, FLOAT32, INT8 = PRECISIONS = ("auto", "float32", "int8")
WORTH_IT = 1.3
"""How many times as fast int8 must be to be preferred."""

_ROUNDS = 15


@cache
def preferred(wanted: str = AUTO) -> str:
    """FLOAT32 or INT8: the wanted one, or by AUTO the one that suits this processor.

    Measured once in each process, with the shipped network. ValueError for another word.
    """
    if wanted not in PRECISIONS:
        raise ValueError(f"The precision must be one of {', '.join(PRECISIONS)}, not {wanted!r}.")
    if wanted != AUTO:
        return wanted
    gain = _gain()
    chosen = INT8 if gain >= WORTH_IT else FLOAT32
    logger.info("int8 is %.1f times as fast as float32 here: using %s", gain, chosen)
    return chosen


def _gain() -> float:
    """How many times as fast the shipped network reads a face in int8; they take turns."""
    face = np.random.default_rng(0).integers(0, 256, (1, SIDE, SIDE), np.uint8)
    networks = [EmotionClassifier(path) for path in (SHIPPED_MODEL, SHIPPED_INT8)]
    times: list[list[float]] = [[], []]
    for _ in range(_ROUNDS):
        for network, taken in zip(networks, times, strict=True):
            started = time.perf_counter()
            network.predict(face)
            taken.append(time.perf_counter() - started)
    whole, small = (median(taken) for taken in times)
    return whole / small
