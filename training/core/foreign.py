"""Weights made elsewhere: in which order their arrays are, and whether a network can hold them."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.engine.errors import ModelError

FACTS = "facts"
"""The array of JSON that our own files hold beside the weights (checkpoint.save_best)."""

BEST = "best/"
"""What the names of the best epoch's weights begin with in our own files."""

SHOWN = 3
"""So many weights that do not fit are named."""


def read_facts(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """What a file of ours says of its weights; empty for a file of anybody else.

    Raises ModelError invalid_file where that cannot be read.
    """
    if FACTS not in arrays:
        return {}
    try:
        facts = json.loads(str(arrays[FACTS]))
        if not isinstance(facts, dict) or not isinstance(facts.get("config", {}), dict):
            raise ValueError("it is no JSON object")
    except (ValueError, RecursionError) as error:
        raise ModelError("invalid_file", f"The array {FACTS!r} cannot be read: {error}.") from error
    return facts


def in_order(arrays: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
    """The weights in the order of their names, numbers in them counted: arr_2 before arr_10.

    Of a file of ours they are those of the best epoch. Raises ModelError: no_weights, wrong_type
    and not_finite.
    """
    names = [name for name in arrays if name != FACTS]
    names = [name for name in names if name.startswith(BEST)] or names
    if not names:
        raise ModelError("no_weights", "There are no weights in this file.")
    weights = []
    for name in sorted(names, key=_by_number):
        array = arrays[name]
        if array.dtype.kind != "f":
            raise ModelError(
                "wrong_type", f"The array {name!r} holds {array.dtype}, not floating point numbers."
            )
        with np.errstate(over="ignore"):  # what is too large for float32 is infinite then
            weights.append(np.asarray(array, np.float32))
        if not np.isfinite(weights[-1]).all():
            raise ModelError("not_finite", f"The array {name!r} holds numbers that are not finite.")
    return weights


def check_fit(
    architecture: str,
    wanted: Sequence[tuple[str, tuple[int, ...]]],
    weights: Sequence[NDArray[np.float32]],
) -> None:
    """Raise ModelError wrong_shapes unless the weights are those of a network.

    `wanted` are the names and shapes of the network's own, in its order.
    """
    if len(wanted) != len(weights):
        raise ModelError(
            "wrong_shapes",
            f"{architecture} has {len(wanted)} arrays of weights; the file has {len(weights)}.",
        )
    pairs = enumerate(zip(wanted, weights, strict=True), start=1)
    wrong = [
        f"number {number} ({name}) must be {_shape(shape)} and is {_shape(array.shape)}"
        for number, ((name, shape), array) in pairs
        if shape != array.shape
    ]
    if wrong:
        more = f", and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise ModelError(
            "wrong_shapes",
            f"These are no weights of {architecture}: {'; '.join(wrong[:SHOWN])}{more}.",
        )


def _by_number(name: str) -> list[tuple[int, str]]:
    return [
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)
    ]


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "a single number"
