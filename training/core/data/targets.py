"""What the network learns to answer: the label, softened by the votes of taggers and teachers."""

import hashlib
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.engine.emotions import EMOTIONS

from ..config import TrainingConfig
from .faces import DatasetError, Faces

TAUGHT = Path(__file__).parents[1] / "taught.npz"
"""The teachers' labels that the shipped model was trained with."""


def soft_targets(
    faces: Faces, rows: NDArray[np.int64], config: TrainingConfig
) -> NDArray[np.float32]:
    """Target distributions of these rows: float32 [n, 7], each summing to 1.

    Of each target, the share `config.votes` follows the FER+ votes, `config.taught` follows the
    teachers, `config.smoothing` is spread evenly, and the rest is the label. A face without votes,
    or that no teacher has labeled, uses its label instead. ValueError if the config needs teachers'
    labels and the faces were loaded without them.
    """
    label = np.eye(len(EMOTIONS), dtype=np.float32)[faces.labels[rows]]
    sure = 1 - config.votes - config.taught - config.smoothing
    targets = sure * label + config.votes * _or_label(faces.votes[rows], label)
    if config.taught:
        if faces.taught is None:
            raise ValueError(
                "The config needs teachers, but the data was loaded without the teachers' labels."
            )
        targets += config.taught * _or_label(faces.taught[rows], label)
    return np.asarray(targets + config.smoothing / len(EMOTIONS), np.float32)


def _or_label(shares: NDArray[np.float32], label: NDArray[np.float32]) -> NDArray[np.float32]:
    """The shares [n, 7], with the label in rows that have none."""
    return np.where(np.asarray(shares).sum(axis=1, keepdims=True) > 0, shares, label)


def epoch_rows(faces: Faces, rows: NDArray[np.int64], config: TrainingConfig) -> NDArray[np.int64]:
    """The rows of one epoch: without what taggers said is no face, with rare classes repeated."""
    kept = rows[faces.is_face[rows]]
    if config.faces is not None and config.faces < len(kept):
        kept = np.sort(np.random.default_rng(config.seed).permutation(kept)[: config.faces])
    return np.repeat(kept, np.array(config.repeats)[faces.labels[kept]])


def write_taught(
    faces: Faces, rows: NDArray[np.int64], shares: NDArray[np.float32], path: Path
) -> None:
    """Store the shares [n, 7] of these rows under a hash of each image."""
    shares = np.round(shares * 255).astype(np.uint8)
    np.savez_compressed(path, keys=_keys(faces.images[rows]), shares=shares)


def read_taught(path: Path, faces: Faces) -> NDArray[np.float32]:
    """The teachers' shares for each face, [n, 7]; 0 for faces that the file doesn't have."""
    try:
        with np.load(path, allow_pickle=False) as file:
            keys, stored = file["keys"], file["shares"].astype(np.float32)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise DatasetError(f"{path.name} can't be read as teachers' labels: {error}.") from error
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
