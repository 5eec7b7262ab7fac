"""Weights files that people might import."""

import io
import json
from typing import Any

import numpy as np


def npz(*arrays: np.ndarray, facts: dict[str, Any] | None = None) -> bytes:
    """An npz file of these arrays, in this order."""
    file = io.BytesIO()
    said = {} if facts is None else {"facts": np.array(json.dumps(facts))}
    np.savez(file, *arrays, **said)
    return file.getvalue()


def pickled() -> bytes:
    """An npz file with a pickled object in it."""
    file = io.BytesIO()
    np.savez(file, np.array([{"an": "object"}], dtype=object))
    return file.getvalue()
