"""What the network is trained towards: the label, softened by the taggers' votes."""

import hashlib
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.engine.emotions import EMOTIONS

from .config import TrainingConfig
from .data.faces import DatasetError, Faces


def soft_targets(
    faces: Faces, rows: NDArray[np.int64], config: TrainingConfig
) -> NDArray[np.float32]:
    """Target distributions of rows: float32 [n, 7], each summing to 1.

    A share `votes` follows the FER+ votes where a row has any, a share `taught` the teachers where
    they have labelled a row, a share `smoothing` is spread evenly, and the rest is the label.
    ValueError where the faces were loaded without the teachers' labels that the config asks for.
    """
    label = np.eye(len(EMOTIONS), dtype=np.float32)[faces.labels[rows]]
    sure = 1 - config.votes - config.taught - config.smoothing
    targets = sure * label + config.votes * _or_label(faces.votes[rows], label)
    if config.taught:
        if faces.taught is None:
            raise ValueError("The data were loaded without the teachers' labels.")
        targets += config.taught * _or_label(faces.taught[rows], label)
    return np.asarray(targets + config.smoothing / len(EMOTIONS), np.float32)


def _or_label(shares: NDArray[np.float32], label: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shares [n, 7], and the label where a row has none."""
    return np.where(np.asarray(shares).sum(axis=1, keepdims=True) > 0, shares, label)


def epoch_rows(faces: Faces, rows: NDArray[np.int64], config: TrainingConfig) -> NDArray[np.int64]:
    """The rows of one epoch: what taggers found to be no face left out, rare classes repeated."""
    kept = rows[faces.is_face[rows]]
    if config.faces is not None and config.faces < len(kept):
        kept = np.sort(np.random.default_rng(config.seed).permutation(kept)[: config.faces])
    return np.repeat(kept, np.array(config.repeats)[faces.labels[kept]])


TAUGHT = Path(__file__).with_name("taught.npz")
"""The labels that the shipped model was trained with."""


def write_taught(
    faces: Faces, rows: NDArray[np.int64], shares: NDArray[np.float32], path: Path
) -> None:
    """Store shares [n, 7] of rows, found again by the content of their images."""
    shares = np.round(shares * 255).astype(np.uint8)
    np.savez_compressed(path, keys=_keys(faces.images[rows]), shares=shares)


def read_taught(path: Path, faces: Faces) -> NDArray[np.float32]:
    """For each face the shares that teachers gave it, [n, 7]; zeros where they did not see it."""
    try:
        with np.load(path, allow_pickle=False) as file:
            keys, stored = file["keys"], file["shares"].astype(np.float32)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise DatasetError(f"{path.name} cannot be read as teachers' labels: {error}.") from error
    stored /= np.maximum(stored.sum(axis=1, keepdims=True), 1)
    known = {int(key): row for row, key in enumerate(keys)}
    shares = np.zeros((len(faces), len(EMOTIONS)), np.float32)
    for row, key in enumerate(_keys(faces.images)):
        if (found := known.get(int(key))) is not None:
            shares[row] = stored[found]
    return shares


def _keys(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    digests = [hashlib.blake2b(image.tobytes(), digest_size=8).digest() for image in images]
    return np.frombuffer(b"".join(digests), np.uint64)
