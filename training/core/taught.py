"""The teachers' labels as a file: what `teach` found for faces, known again by their images."""

import hashlib
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.engine.emotions import EMOTIONS

from .faces import Faces
from .problems import DatasetError

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
