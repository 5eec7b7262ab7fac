"""Labeled faces from images in folders named after the classes, on disk or in a zip."""

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognition.engine.align import SIDE, warp
from recognition.engine.emotions import EMOTIONS

from .classes import ClassOptions, UnknownClass, find_class, is_number
from .faces import DatasetError

Table = tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint8]]

_IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
_FORMATS = ("PNG", "JPEG", "BMP", "WEBP")
_SPLIT_FOLDERS = {
    "train": 0,
    "training": 0,
    "publictest": 1,
    "test": 1,
    "validation": 1,
    "privatetest": 2,
}
_CLASSES = ", ".join(EMOTIONS)
_MAX_FILES = 500_000
_MAX_FILE_BYTES = 8 * 2**20
_MAX_FILE_PIXELS = 16_000_000
_MAX_TOTAL_BYTES = 4 * 2**30
_MAX_RATIO = 200  # unpacked to packed; a zip bomb has a thousand
_RATIO_MATTERS = 2**20  # bytes unpacked; a small flat image can exceed the ratio

Members = Iterator[tuple[PurePosixPath, bytes]]


@dataclass(frozen=True)
class Member:
    """One labeled image, uint8 [48, 48], and the width and height that its file had."""

    image: NDArray[np.uint8]
    label: int
    split: int
    size: tuple[int, int]


def read_folder(folder: Path, options: ClassOptions) -> Table:
    """Images [n, 48, 48], labels and splits from files like train/happy/1.png or happy/1.png."""
    return _collect(folder_members(folder), folder.name, options)


def read_zip(path: Path, options: ClassOptions) -> Table:
    """The same from a zip, read member by member without unpacking it to disk."""
    return _collect(zip_members(path), path.name, options)


def folder_members(folder: Path) -> Members:
    """Name and content of each image; DatasetError for a link out of the folder."""
    root = folder.resolve()
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _IMAGES and path.is_file():
            if not path.resolve().is_relative_to(root):
                raise DatasetError(f"{folder.name}: {path.name} is a link out of the folder.")
            yield PurePosixPath(path.relative_to(folder).as_posix()), path.read_bytes()


def zip_members(path: Path) -> Members:
    """Name and content of each image; DatasetError for an archive that isn't safe to read."""
    total = 0
    try:
        with zipfile.ZipFile(path) as archive:
            infos = sorted(archive.infolist(), key=lambda info: info.filename)
            if len(infos) > 2 * _MAX_FILES:
                raise DatasetError(f"{path.name} has more than {_MAX_FILES} images.")
            for info in infos:
                _check_entry(info, path.name)
                name = PurePosixPath(info.filename)
                if info.is_dir() or name.suffix.lower() not in _IMAGES or "__MACOSX" in name.parts:
                    continue
                total += info.file_size
                if info.file_size > _MAX_FILE_BYTES or total > _MAX_TOTAL_BYTES:
                    raise DatasetError(f"{path.name}: {name} is too large when unpacked.")
                if info.file_size > max(_RATIO_MATTERS, _MAX_RATIO * info.compress_size):
                    raise DatasetError(
                        f"{path.name}: {name} is packed more tightly than an image can be."
                    )
                yield name, archive.read(info)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise DatasetError(f"{path.name} can't be read: {error}.") from error


def _check_entry(info: zipfile.ZipInfo, source: str) -> None:
    name = PurePosixPath(info.filename)
    if stat.S_ISLNK(info.external_attr >> 16):
        raise DatasetError(f"{source}: {name} is a link. Only plain files are accepted.")
    if name.is_absolute() or ".." in name.parts:
        raise DatasetError(f"{source}: {name} points outside the archive.")
    if info.flag_bits & 1:
        raise DatasetError(f"{source}: {name} is encrypted. Pack it without a password.")


def parse_member(name: PurePosixPath, content: bytes, source: str, options: ClassOptions) -> Member:
    """The face in a file; DatasetError if its content can't be used, UnknownClass if its name."""
    where = f"{source}: {name}"
    try:
        label = EMOTIONS.index(find_class(name.parent.name, options))
    except UnknownClass as error:
        raise UnknownClass(f"{where}: {error}", error.name) from None
    image, size = _decode(content, where)
    return Member(image, label, _split(name), size)


def _collect(members: Members, source: str, options: ClassOptions) -> Table:
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    splits: list[int] = []
    for name, content in members:
        if len(images) == _MAX_FILES:
            raise DatasetError(f"{source} has more than {_MAX_FILES} images.")
        try:
            member = parse_member(name, content, source, options)
        except UnknownClass:
            if options.leave_out_unknown and not is_number(name.parent.name):
                continue
            raise
        images.append(member.image)
        labels.append(member.label)
        splits.append(member.split)
    if not images:
        raise DatasetError(f"{source} has no images in folders named after a class ({_CLASSES}).")
    return np.stack(images), np.array(labels), np.array(splits, np.uint8)


def _split(name: PurePosixPath) -> int:
    """The split that the outermost matching folder names; Training if none does."""
    return next(
        (_SPLIT_FOLDERS[part.lower()] for part in name.parts if part.lower() in _SPLIT_FOLDERS), 0
    )


def _decode(content: bytes, where: str) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as header:
            width, height = header.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise DatasetError(f"{where} can't be read as an image.") from None
    if width * height > _MAX_FILE_PIXELS:
        raise DatasetError(f"{where} has {width} x {height} pixels, which is too many.")
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise DatasetError(f"{where} can't be read as an image.")
    if image.shape == (SIDE, SIDE):
        return np.asarray(image, np.uint8), (width, height)
    # The shape of the decoded image: decoding applies the orientation in its metadata.
    down, across = SIDE / image.shape[0], SIDE / image.shape[1]
    # The corners of the outer pixels have to meet, hence the half pixels.
    matrix = np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2]])
    return warp(np.asarray(image, np.uint8), matrix), (width, height)
