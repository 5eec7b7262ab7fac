"""FER2013's CSV of labeled faces and FER+'s CSV of votes, read row by row."""

import csv
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TextIO, cast

import numpy as np
from numpy.typing import NDArray

from recognition.engine.align import SIDE
from recognition.engine.emotions import EMOTIONS

from .faces import SPLITS, DatasetError

MAX_BYTES = 4 * 2**30
MAX_LINE = 2**17
"""Bytes. A row of 48 x 48 pixels has 9,300 at most."""
_VOTE_COLUMNS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")


class OtherRowsError(DatasetError):
    """The votes belong to other faces than the data set."""


def read_table(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint8]]:
    """Images [n, 48, 48], labels and splits of FER2013's CSV; DatasetError for a bad row."""
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    splits: list[int] = []
    for row in read_rows(path):
        if isinstance(row, DatasetError):
            raise row
        images.append(row.image)
        labels.append(row.label)
        splits.append(row.split)
    if not images:
        raise DatasetError(f"{path.name} has no rows.")
    return np.stack(images), np.array(labels), np.array(splits, np.uint8)


@dataclass(frozen=True)
class Row:
    """One labeled face: uint8 [48, 48]."""

    image: NDArray[np.uint8]
    label: int
    split: int


def read_rows(path: Path) -> Iterator[Row | DatasetError]:
    """Yield each row of FER2013's CSV, or what is wrong with it.

    Raises DatasetError if the file can't be read at all.
    """
    with _open_text(path) as lines:
        reader = csv.reader(lines)
        header = [name.strip().lower() for name in next(reader, [])]
        if "emotion" not in header or "pixels" not in header:
            raise DatasetError(f"{path.name} needs the header line emotion,pixels,Usage.")
        for number, row in enumerate(reader, start=2):
            try:
                yield _parse_row(row, header, f"{path.name}, line {number}")
            except DatasetError as error:
                yield error


def _parse_row(row: list[str], header: list[str], where: str) -> Row:
    if len(row) != len(header):
        raise DatasetError(f"{where}: {len(row)} columns instead of {len(header)}.")
    values = dict(zip(header, row, strict=True))
    split = _split(values["usage"], where) if "usage" in values else 0
    return Row(_pixels(values["pixels"], where), _label(values["emotion"], where), split)


def _label(text: str, where: str) -> int:
    if not text.strip().isdecimal() or int(text) >= len(EMOTIONS):
        raise DatasetError(f"{where}: the emotion is {text!r}, not a number from 0 to 6.")
    return int(text)


def _split(text: str, where: str) -> int:
    if text.strip() not in SPLITS:
        raise DatasetError(f"{where}: the usage is {text!r}, not one of {', '.join(SPLITS)}.")
    return SPLITS.index(text.strip())


def _pixels(text: str, where: str) -> NDArray[np.uint8]:
    try:
        values = np.array(text.split(), np.int64)
    except ValueError:
        raise DatasetError(f"{where}: the pixels must be whole numbers.") from None
    if values.size != SIDE * SIDE:
        raise DatasetError(f"{where}: {values.size} pixels instead of {SIDE * SIDE} (48 x 48).")
    if values.min() < 0 or values.max() > 255:
        raise DatasetError(f"{where}: pixels must be between 0 and 255.")
    return values.astype(np.uint8).reshape(SIDE, SIDE)


def read_votes(
    path: Path, splits: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Shares of FER+'s votes [n, 7], and whether most taggers saw a face [n], for n rows of data.

    FER+ (Barsoum et al. 2016, arXiv 1608.01041) lists all of FER2013. Its rows of a split that the
    data doesn't have at all are skipped; OtherRowsError if the rest doesn't match row by row.
    """
    shares: list[NDArray[np.float32]] = []
    is_face: list[bool] = []
    usages: list[int] = []
    with _open_text(path) as lines:
        reader = csv.DictReader(lines)
        for name in (*_VOTE_COLUMNS, "Usage", "NF"):
            if name not in (reader.fieldnames or ()):
                raise DatasetError(f"{path.name} has no column {name}.")
        present = set(splits.tolist())
        for number, row in enumerate(reader, start=2):
            where = f"{path.name}, line {number}"
            usage = _split(row["Usage"] or "", where)
            if usage not in present:
                continue
            try:
                counts = np.array([int(row[name]) for name in _VOTE_COLUMNS], np.float32)
                not_a_face = int(row["NF"])
            except (TypeError, ValueError):
                raise DatasetError(f"{where}: the votes must be whole numbers.") from None
            usages.append(usage)
            shares.append(counts / max(1.0, float(counts.sum())))
            is_face.append(not_a_face <= counts.sum())
    if not np.array_equal(np.array(usages, np.uint8), splits):
        raise OtherRowsError(
            f"{path.name} has other rows than the data ({len(usages)} and {len(splits)}). "
            "Choose the votes that belong to it, or keep them in another folder."
        )
    return np.stack(shares), np.array(is_face)


@contextmanager
def _open_text(path: Path) -> Iterator[TextIO]:
    """Open a CSV as text, however it is packed."""
    try:
        with (
            _open_packed(path) as packed,
            io.BufferedReader(GuardedReader(packed, path.name)) as guarded,
        ):
            yield io.TextIOWrapper(guarded, encoding="utf-8-sig", newline="")
    except (
        *(OSError, EOFError, UnicodeDecodeError, csv.Error),
        *(lzma.LZMAError, zlib.error, zipfile.BadZipFile, NotImplementedError),
    ) as error:
        raise DatasetError(f"{path.name} can't be read: {error}.") from error


@contextmanager
def _open_packed(path: Path) -> Iterator[IO[bytes]]:
    if path.suffix == ".gz":
        with gzip.open(path) as file:
            yield cast(IO[bytes], file)
    elif path.suffix == ".xz":
        with lzma.open(path) as file:
            yield file
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open(zipped_csv(path)) as member:
            yield member
    else:
        with path.open("rb") as file:
            yield file


def zipped_csv(path: Path) -> str:
    """The name of the CSV in a zip, or "" if it doesn't hold exactly one."""
    with zipfile.ZipFile(path) as archive:
        names = [
            name
            for name in archive.namelist()
            if name.lower().endswith(".csv") and not name.startswith("__MACOSX/")
        ]
    return names[0] if len(names) == 1 else ""


class GuardedReader(io.RawIOBase):
    """Passes on what `packed` unpacks to; DatasetError for a bomb before it fills the memory."""

    def __init__(
        self, packed: IO[bytes], name: str, max_bytes: int = MAX_BYTES, max_line: int = MAX_LINE
    ) -> None:
        self._packed, self._name = packed, name
        self._max_bytes, self._max_line = max_bytes, max_line
        self._bytes = self._line = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._packed.read(len(buffer))
        buffer[: len(content)] = content
        self._bytes += len(content)
        newline = content.rfind(b"\n")
        self._line = self._line + len(content) if newline < 0 else len(content) - newline - 1
        if self._bytes > self._max_bytes or self._line > self._max_line:
            raise DatasetError(
                f"{self._name} is not a table of faces: it, or one of its lines, is far too long."
            )
        return len(content)
