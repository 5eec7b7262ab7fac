"""Labelled faces from the files people have: FER2013's CSV, folders of images, contact sheets."""

import csv
import gzip
import hashlib
import io
import json
import lzma
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TextIO, cast

import numpy as np
from numpy.typing import NDArray

from recognition.engine.align import SIDE
from recognition.engine.emotions import EMOTIONS

from .config import TrainingConfig
from .duplicates import group_duplicates
from .faces import SPLITS, Faces
from .folders import read_folder, read_zip
from .framings import measure_framings
from .guard import GuardedReader
from .problems import DatasetError, OtherRowsError
from .sheets import are_sheets, read_sheets
from .taught import TAUGHT, read_taught

_VOTE_COLUMNS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
_CACHE_VERSION = 2


def load(data: Path, cache: Path, votes: Path | None = None, *, framings: bool = False) -> Faces:
    """Read a data set, from `cache` (a folder) if the same files were read before.

    `data` is FER2013's CSV (plain, .gz, .xz or .zip), a folder or zip of images in folders named
    after the classes, or a folder of contact sheets. `votes` is FER+'s CSV for the same rows;
    without it, a file fer2013new.csv beside a CSV is used where it is of the same rows. `framings`
    has the detector look at every face, which takes minutes the first time. What cannot be read
    raises DatasetError, which names row and reason.
    """
    for path in filter(None, [data, votes]):
        if not path.exists():
            raise DatasetError(f"There is nothing at {path}.")
    found = votes or _votes_beside(data)
    entry = cache / _fingerprint([data, found] if found else [data])
    if not (entry / "sources.json").is_file():
        try:
            faces = _read(data, found)
        except OtherRowsError:
            if votes:
                raise
            faces = _read(data, None)
        _store(faces, entry)
    faces = _open(entry)
    return replace(faces, framings=_framings(faces, entry)) if framings else faces


def load_for(
    config: TrainingConfig,
    data: Path,
    cache: Path,
    votes: Path | None = None,
    taught: Path | None = None,
) -> Faces:
    """As `load`, with all that a training by this config needs.

    `taught` is a file of teachers' labels other than those that come with this package.
    """
    faces = load(data, cache, votes, framings=config.framed > 0)
    return replace(faces, taught=read_taught(taught or TAUGHT, faces)) if config.taught else faces


def _votes_beside(data: Path) -> Path | None:
    """FER+'s CSV in the folder of a data set that is a table, if it is there."""
    beside = data.with_name("fer2013new.csv")
    return beside if beside.is_file() and data.is_file() and not shows_images(data) else None


def _framings(faces: Faces, entry: Path) -> NDArray[np.float32]:
    path = entry / _FRAMINGS
    if not path.is_file():
        partial = path.with_suffix(".partial.npy")
        np.save(partial, measure_framings(faces.images))
        partial.rename(path)
    return np.asarray(np.load(path))


def _read(data: Path, votes: Path | None) -> Faces:
    if are_sheets(data):
        if votes is not None:
            raise DatasetError("Contact sheets hold their votes already; leave the file out.")
        return read_sheets(data)
    if data.is_dir():
        images, labels, splits = read_folder(data)
    elif shows_images(data):
        images, labels, splits = read_zip(data)
    else:
        images, labels, splits = _read_csv(data)
    shares = np.zeros((len(labels), len(EMOTIONS)), np.float32)
    is_face = np.ones(len(labels), np.bool_)
    if votes is not None:
        shares, is_face = _read_votes(votes, splits)
    files = [data] if votes is None else [data, votes]
    sources = {file.name: _sha256(file) for file in files if file.is_file()}
    return Faces(images, labels, splits, shares, is_face, group_duplicates(images), sources)


def shows_images(data: Path) -> bool:
    """Whether this is a folder or a zip of images, not a table."""
    return data.is_dir() or (zipfile.is_zipfile(data) and not _zipped_csv(data))


def _read_csv(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint8]]:
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
        raise DatasetError(f"{path.name} holds no rows.")
    return np.stack(images), np.array(labels), np.array(splits, np.uint8)


@dataclass(frozen=True)
class Row:
    """One labelled face: uint8 [48, 48]."""

    image: NDArray[np.uint8]
    label: int
    split: int


def read_rows(path: Path) -> Iterator[Row | DatasetError]:
    """Each row of FER2013's CSV, or what is wrong with it.

    Raises DatasetError where the file cannot be read at all.
    """
    with _open_text(path) as lines:
        reader = csv.reader(lines)
        header = [name.strip().lower() for name in next(reader, [])]
        if "emotion" not in header or "pixels" not in header:
            raise DatasetError(f"{path.name} needs a header line: emotion, pixels, Usage.")
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
        raise DatasetError(f"{where}: the pixels are not all whole numbers.") from None
    if values.size != SIDE * SIDE:
        raise DatasetError(f"{where}: {values.size} pixels instead of {SIDE * SIDE} (48 x 48).")
    if values.min() < 0 or values.max() > 255:
        raise DatasetError(f"{where}: a pixel lies outside 0 to 255.")
    return values.astype(np.uint8).reshape(SIDE, SIDE)


def _read_votes(
    path: Path, splits: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """FER+ votes (Barsoum et al. 2016, arXiv 1608.01041) for the rows of the CSV.

    They list all of FER2013; where the CSV lacks a whole split, so do its rows here.
    """
    shares: list[NDArray[np.float32]] = []
    is_face: list[bool] = []
    usages: list[int] = []
    with _open_text(path) as lines:
        reader = csv.DictReader(lines)
        for name in (*_VOTE_COLUMNS, "Usage", "NF"):
            if name not in (reader.fieldnames or ()):
                raise DatasetError(f"{path.name} lacks the column {name}.")
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
                raise DatasetError(f"{where}: the votes are not all whole numbers.") from None
            usages.append(usage)
            shares.append(counts / max(1.0, float(counts.sum())))
            is_face.append(not_a_face <= counts.sum())
    if not np.array_equal(np.array(usages, np.uint8), splits):
        raise OtherRowsError(
            f"{path.name} lists other rows than the data ({len(usages)} and {len(splits)}): "
            "name votes that fit, or keep them in another folder."
        )
    return np.stack(shares), np.array(is_face)


@contextmanager
def _open_text(path: Path) -> Iterator[TextIO]:
    """A CSV as text, whatever it is packed in."""
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
        raise DatasetError(f"{path.name} cannot be read: {error}.") from error


@contextmanager
def _open_packed(path: Path) -> Iterator[IO[bytes]]:
    if path.suffix == ".gz":
        with gzip.open(path) as file:
            yield cast(IO[bytes], file)
    elif path.suffix == ".xz":
        with lzma.open(path) as file:
            yield file
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open(_zipped_csv(path)) as member:
            yield member
    else:
        with path.open("rb") as file:
            yield file


def _zipped_csv(path: Path) -> str:
    """The name of the only CSV in a zip, or nothing where it holds images."""
    with zipfile.ZipFile(path) as archive:
        names = [
            name
            for name in archive.namelist()
            if name.lower().endswith(".csv") and not name.startswith("__MACOSX/")
        ]
    return names[0] if len(names) == 1 else ""


def _fingerprint(files: list[Path]) -> str:
    """Changes when a file does; of a folder, when a file in it comes, goes or changes."""
    digest = hashlib.sha256(str(_CACHE_VERSION).encode())
    for file in files:
        members = (
            sorted(path for path in file.rglob("*") if path.is_file()) if file.is_dir() else [file]
        )
        for member in members:
            status = member.stat()
            digest.update(f"{member.resolve()}|{status.st_size}|{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:24]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_ARRAYS = ("images", "labels", "splits", "votes", "is_face", "groups")
_FRAMINGS = "framings.npy"


def _store(faces: Faces, entry: Path) -> None:
    partial = entry.with_name(entry.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name in _ARRAYS:
        np.save(partial / f"{name}.npy", getattr(faces, name))
    if faces.framings is not None:
        np.save(partial / _FRAMINGS, faces.framings)
    (partial / "sources.json").write_text(json.dumps(faces.sources))
    shutil.rmtree(entry, ignore_errors=True)
    partial.rename(entry)


def _open(entry: Path) -> Faces:
    arrays = {name: np.load(entry / f"{name}.npy", mmap_mode="r") for name in _ARRAYS}
    return Faces(**arrays, sources=json.loads((entry / "sources.json").read_text()))
