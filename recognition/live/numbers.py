"""Faces that a browser found itself: checked, then taken like the answer of a worker."""

import math
from collections.abc import Mapping
from typing import Any

from recognition.engine.emotions import EMOTIONS
from recognition.engine.types import Landmarks

MOST_FACES = 32
LARGEST_SIDE = 8192  # pixels
SEQUENCES = 2**32
VERSIONS = 2**31
SUM_TOLERANCE = 0.01
"""How far the probabilities of a face may be from 1 together: int8 networks round."""

MILLISECONDS = ("detect", "classify")


class NumbersError(ValueError):
    """A message that isn't as docs/live-protocol/frame.faces.schema.json says; tells what is wrong.

    `sequence` is that of the frame, if there is one.
    """

    def __init__(self, message: str, sequence: int | None) -> None:
        super().__init__(message)
        self.sequence = sequence


def read(message: Mapping[str, Any]) -> dict[str, Any]:
    """The message in the form of `frames.Answer`, without its session. Raises NumbersError."""
    sequence = message.get("sequence")
    if not _is_whole(sequence, 0, SEQUENCES - 1):
        raise NumbersError("sequence must be a whole number of 32 bits.", None)
    try:
        return _read(message)
    except KeyError as error:
        raise NumbersError(f"{error.args[0]} is missing.", sequence) from error
    except (TypeError, OverflowError) as error:
        raise NumbersError(
            "Send faces in the form that the protocol describes.", sequence
        ) from error
    except ValueError as error:
        raise NumbersError(str(error), sequence) from error


def _read(message: Mapping[str, Any]) -> dict[str, Any]:
    width, height = (_whole(message, side, 1, LARGEST_SIDE) for side in ("width", "height"))
    faces = message["faces"]
    if not isinstance(faces, list) or len(faces) > MOST_FACES:
        raise ValueError(f"faces must be a list of at most {MOST_FACES}.")
    taken = message["milliseconds"]
    return {
        "sequence": message["sequence"],
        "width": width,
        "height": height,
        "model_version": _whole(message, "model_version", 1, VERSIONS - 1),
        "faces": [_face(face, width, height) for face in faces],
        "milliseconds": {
            **dict.fromkeys(("queue", "decode", "measure"), 0.0),
            **{name: _number(taken[name], name, 0, 60_000) for name in MILLISECONDS},
        },
    }


def _face(face: Any, width: int, height: int) -> dict[str, Any]:
    """A face in the form of a worker's answer; it lies in the frame, its landmarks near it."""
    limits = {"x": width, "y": height, "width": width, "height": height}
    box = {name: _number(face["box"][name], name, 0, most) for name, most in limits.items()}
    if box["x"] + box["width"] > width + 1 or box["y"] + box["height"] > height + 1:
        raise ValueError("A box must lie in the frame.")
    found = face["probabilities"]
    if not isinstance(found, list) or len(found) != len(EMOTIONS):
        raise ValueError(f"probabilities must be a list of {len(EMOTIONS)}.")
    probabilities = [_number(value, "A probability", 0, 1) for value in found]
    if abs(sum(probabilities) - 1) > SUM_TOLERANCE:
        raise ValueError("The probabilities of a face must sum to 1.")
    return {
        "box": box,
        "score": _number(face["score"], "score", 0, 1),
        "landmarks": {
            name: _point(face["landmarks"][name], name, width, height)
            for name in Landmarks.__slots__
        },
        "probabilities": probabilities,
        "measures": None,
        "covered": round(_number(face["covered"], "covered", 0, 1), 3),
        "mesh": None,
    }


def _point(value: Any, name: str, width: int, height: int) -> tuple[float, float]:
    """A landmark; that of a face at the edge may lie outside the frame, but not far."""
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"{name} must be a list of x and y.")
    x, y = value
    return _number(x, name, -width, 2 * width), _number(y, name, -height, 2 * height)


def _number(value: Any, name: str, low: float, high: float) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not low <= value <= high:
        raise ValueError(f"{name} must be a number from {low} to {high}.")
    return float(value)


def _whole(message: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = message[name]
    if not _is_whole(value, low, high):
        raise ValueError(f"{name} must be a whole number from {low} to {high}.")
    return int(value)


def _is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
