"""Model files from elsewhere: their limits, and what their answers must look like."""

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

# What trying a network may take.
TRIAL_SECONDS = 60
TRIAL_BYTES = 2 * 1024**3
MOST_ARRAYS = 5000

# What reading an npz file raises that is none, or holds something else than plain arrays.
UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, OSError, ValueError, EOFError, RuntimeError),
    MemoryError,  # an array that only claims to be large
)


@dataclass(frozen=True)
class Trial:
    """How a network did: milliseconds for one face on one thread, its operators and nodes."""

    milliseconds: float
    operators: list[str]
    nodes: int


def try_onnx(content: bytes, max_bytes: int) -> Trial:
    """Check and try an ONNX file from elsewhere; takes about a second.

    It is parsed, loaded and run by model_trial in a process of its own, whose environment holds no
    secrets and which is cut off at 2 GB and 60 s: a fault of the parser, or a network that unfolds
    into a terabyte, ends there. Raises ModelError: too_large, too_demanding, and what
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
    """The arrays of an npz file, none of them pickled: what an architecture of ours is filled with.

    Raises ModelError: too_large, also for what unpacks to more than `max_bytes`, or invalid_file.
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
            raise ValueError("a member is not an array")
    except UNREADABLE as error:
        raise ModelError(
            "invalid_file", f"The weights file is not an npz file of plain arrays: {error}"
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
    """Run a network on drawn faces in batches of these sizes, which also warms it.

    Raises ModelError: cannot_run, or wrong_probabilities where a row is not of finite numbers from
    0 on that sum to 1.
    """
    faces = draw_faces(max(batches))
    for count in batches:
        try:
            rows = classifier.predict(faces[:count])
        except Exception as error:  # ONNX Runtime's own exception classes share no other base
            message = f"The network fails on {count} faces at once: {error}"
            raise ModelError("cannot_run", message) from error
        # Written so that a number which is none fails as well.
        whole = rows.shape == (count, rows.shape[-1]) and (rows >= 0).all()
        if not (whole and (np.abs(rows.sum(axis=1) - 1) <= 1e-3).all()):
            raise ModelError(
                "wrong_probabilities",
                "The network does not answer with probabilities: each row must hold finite "
                "numbers, none below 0, that sum to 1.",
            )


def draw_faces(count: int) -> NDArray[np.uint8]:
    """Pictures [count, 48, 48] that show faults: flat ones first, where one divides by a spread."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    shades = (rows * 3 + columns * 2).astype(np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE), np.uint8)
    drawn = np.stack([np.zeros_like(shades), np.full_like(shades, 255), shades])
    return np.concatenate([drawn, noise])[:count]
