"""Labelled faces from images in folders named after the classes, on disk or in a zip."""

import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.engine.align import SIDE, warp
from recognition.engine.emotions import EMOTIONS

from .problems import DatasetError

Table = tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint8]]

_IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
_SYNONYMS = {"anger": "angry", "disgusted": "disgust", "fearful": "fear", "afraid": "fear"}
_SYNONYMS |= {"happiness": "happy", "sadness": "sad", "surprised": "surprise"}
_SPLIT_FOLDERS = {
    "train": 0,
    "training": 0,
    "publictest": 1,
    "test": 1,
    "validation": 1,
    "privatetest": 2,
}
_MAX_FILES = 500_000
_MAX_FILE_BYTES = 8 * 2**20
_MAX_TOTAL_BYTES = 4 * 2**30


def read_folder(folder: Path) -> Table:
    """Images [n, 48, 48], labels, splits from files like `train/happy/1.png` or `happy/1.png`."""

    def members() -> Iterator[tuple[PurePosixPath, bytes]]:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in _IMAGES and path.is_file():
                yield PurePosixPath(path.relative_to(folder).as_posix()), path.read_bytes()

    return _collect(members(), folder.name)


def read_zip(path: Path) -> Table:
    """The same from a zip, read member by member; nothing is unpacked to disk."""

    def members() -> Iterator[tuple[PurePosixPath, bytes]]:
        total = 0
        with zipfile.ZipFile(path) as archive:
            for info in sorted(archive.infolist(), key=lambda info: info.filename):
                name = PurePosixPath(info.filename)
                if info.is_dir() or name.suffix.lower() not in _IMAGES or "__MACOSX" in name.parts:
                    continue
                total += info.file_size
                if info.file_size > _MAX_FILE_BYTES or total > _MAX_TOTAL_BYTES:
                    raise DatasetError(f"{path.name}: unpacked, {name} is larger than is accepted.")
                yield name, archive.read(info)

    return _collect(members(), path.name)


def _collect(members: Iterator[tuple[PurePosixPath, bytes]], source: str) -> Table:
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    splits: list[int] = []
    for name, content in members:
        if len(images) == _MAX_FILES:
            raise DatasetError(f"{source} holds more than {_MAX_FILES} images.")
        where = f"{source}: {name}"
        labels.append(_label(name, where))
        splits.append(_split(name))
        images.append(_decode(content, where))
    if not images:
        raise DatasetError(f"{source} holds no images in folders named {', '.join(EMOTIONS)}.")
    return np.stack(images), np.array(labels), np.array(splits, np.uint8)


def _label(name: PurePosixPath, where: str) -> int:
    folder = name.parent.name.lower()
    folder = _SYNONYMS.get(folder, folder)
    if folder not in EMOTIONS:
        raise DatasetError(f"{where} lies in no folder named {', '.join(EMOTIONS)}.")
    return EMOTIONS.index(folder)


def _split(name: PurePosixPath) -> int:
    """The split of the outermost folder that names one; Training where none does."""
    return next(
        (_SPLIT_FOLDERS[part.lower()] for part in name.parts if part.lower() in _SPLIT_FOLDERS), 0
    )


def _decode(content: bytes, where: str) -> NDArray[np.uint8]:
    image = (
        cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE) if content else None
    )
    if image is None:
        raise DatasetError(f"{where} is not an image that can be read.")
    if image.shape == (SIDE, SIDE):
        return np.asarray(image, np.uint8)
    height, width = image.shape
    # Pixel corners fall on pixel corners, hence the half pixels.
    across, down = SIDE / width, SIDE / height
    matrix = np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2]])
    return warp(np.asarray(image, np.uint8), matrix)
