"""Imported model files: limits, and checks of their outputs."""

import io
import json
import subprocess
import sys
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.engine.align import SIDE
from recognition.engine.classifier import EmotionClassifier
from recognition.engine.errors import ModelError

# Limits for trying a network.
TRIAL_SECONDS = 60
TRIAL_BYTES = 2 * 1024**3
MOST_ARRAYS = 5000

# What numpy raises for files that aren't npz or hold more than plain arrays.
UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, OSError, ValueError, EOFError, RuntimeError),
    MemoryError,  # an array whose claimed size is huge
)


@dataclass(frozen=True)
class Trial:
    """The result of a trial: milliseconds per face on one thread, operators and nodes."""

    milliseconds: float
    operators: list[str]
    nodes: int


def try_onnx(content: bytes, max_bytes: int) -> Trial:
    """Check and try an imported ONNX file; takes about a second.

    model_trial parses, loads and runs it in a separate process without secrets in its environment,
    limited to 2 GB and 60 s: a bug in the parser, or a network that expands to a terabyte, ends
    there. Raises ModelError: too_large, too_demanding, and what
    model_trial.inspect, EmotionClassifier and check_answers raise.
    """
    check_size(content, max_bytes)
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "recognition.registry.model_trial"],
            input=content,
            capture_output=True,
            timeout=TRIAL_SECONDS,
            cwd=Path(__file__).parents[2],
            env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        outcome = json.loads(ran.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        raise ModelError(
            "too_demanding",
            f"The network could not be tried within {TRIAL_SECONDS} s and "
            f"{TRIAL_BYTES // 1024**3} GB of memory.",
        ) from None
    if "code" in outcome:
        raise ModelError(outcome["code"], outcome["message"])
    return Trial(**outcome)


def read_weights(content: bytes, max_bytes: int) -> dict[str, NDArray]:
    """The arrays of an npz file of weights; pickled ones are refused.

    Raises ModelError: invalid_file, or too_large, also if it unpacks to more than `max_bytes`.
    """
    check_size(content, max_bytes)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            sizes = [entry.file_size for entry in archive.infolist()]
        fits = len(sizes) <= MOST_ARRAYS and sum(sizes) <= max_bytes
        arrays = {}
        if fits:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        if not all(isinstance(array, np.ndarray) for array in arrays.values()):
            raise ValueError("a member isn't an array")
    except UNREADABLE as error:
        raise ModelError(
            "invalid_file", f"The weights file isn't an npz file of plain arrays: {error}"
        ) from error
    if not fits:
        raise ModelError("too_large", "The weights file unpacks to more than is accepted.")
    return arrays


def check_size(content: bytes, max_bytes: int) -> None:
    """Raise ModelError too_large for a file above the limit."""
    if len(content) > max_bytes:
        raise ModelError(
            "too_large",
            f"The file has {len(content) / 1024**2:.1f} MB; up to "
            f"{max_bytes / 1024**2:.0f} MB are accepted.",
        )


def check_answers(classifier: EmotionClassifier, batches: tuple[int, ...] = (1, 4)) -> None:
    """Run a network on synthetic faces in batches of these sizes, which also warms it up.

    Raises ModelError: cannot_run, or wrong_probabilities unless each row holds finite numbers of at
    least 0 that sum to 1.
    """
    faces = draw_faces(max(batches))
    for count in batches:
        try:
            rows = classifier.predict(faces[:count])
        except Exception as error:  # ONNX Runtime's own exception classes share no other base
            message = f"The network fails on {count} faces at once: {error}"
            raise ModelError("cannot_run", message) from error
        # Written so that NaN fails too.
        whole = rows.shape == (count, rows.shape[-1]) and (rows >= 0).all()
        if not (whole and (np.abs(rows.sum(axis=1) - 1) <= 1e-3).all()):
            raise ModelError(
                "wrong_probabilities",
                "The network does not answer with probabilities: each row must hold finite "
                "numbers, none below 0, that sum to 1.",
            )


def draw_faces(count: int) -> NDArray[np.uint8]:
    """Images [count, 48, 48] that provoke errors: flat ones first, which have no variance."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    shades = (rows * 3 + columns * 2).astype(np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE), np.uint8)
    drawn = np.stack([np.zeros_like(shades), np.full_like(shades, 255), shades])
    return np.concatenate([drawn, noise])[:count]
