"""Labeled faces from the files people have (FER2013's CSV, images, contact sheets), cached."""

import hashlib
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.engine.emotions import EMOTIONS

from ..config import TrainingConfig
from .classes import STRICT, ClassOptions
from .faces import DatasetError, Faces
from .folders import read_folder, read_zip
from .measures import group_duplicates, measure_framings
from .sheets import are_sheets, read_sheets
from .tables import OtherRowsError, read_table, read_votes, zipped_csv
from .targets import TAUGHT, read_taught

_CACHE_VERSION = 2
_ARRAYS = ("images", "labels", "splits", "votes", "is_face", "groups")
_FRAMINGS = "framings.npy"


def load(
    data: Path,
    cache: Path,
    votes: Path | None = None,
    *,
    framings: bool = False,
    classes: ClassOptions = STRICT,
) -> Faces:
    """Read a data set, or take it from the folder `cache` if the same files were read before.

    `data` is FER2013's CSV (plain, .gz, .xz or .zip), a folder or zip of images in folders named
    after the classes, or a folder of contact sheets. `votes` is FER+'s CSV for the same rows; if
    it isn't given, fer2013new.csv beside a CSV is used as long as its rows match. `classes` says
    what to do with folders whose names are no class. `framings` runs
    the detector on every face, which takes minutes the first time. Raises DatasetError with the
    row and the reason if something can't be read.
    """
    for path in filter(None, [data, votes]):
        if not path.exists():
            raise DatasetError(f"There is nothing at {path}.")
    found = votes or _votes_beside(data)
    entry = cache / _fingerprint([data, found] if found else [data], classes)
    if not (entry / "sources.json").is_file():
        try:
            faces = _read(data, found, classes)
        except OtherRowsError:
            if votes:
                raise
            faces = _read(data, None, classes)
        _store(faces, entry)
    faces = _open(entry)
    return replace(faces, framings=_framings(faces, entry)) if framings else faces


def load_for(
    config: TrainingConfig,
    data: Path,
    cache: Path,
    votes: Path | None = None,
    taught: Path | None = None,
    classes: ClassOptions = STRICT,
) -> Faces:
    """Like `load`, with everything that this config needs.

    `taught` is a file of teachers' labels to use instead of `TAUGHT`.
    """
    faces = load(data, cache, votes, framings=config.framed > 0, classes=classes)
    return replace(faces, taught=read_taught(taught or TAUGHT, faces)) if config.taught else faces


def _votes_beside(data: Path) -> Path | None:
    """FER+'s CSV in the same folder, if it exists and `data` is a CSV too."""
    beside = data.with_name("fer2013new.csv")
    return beside if beside.is_file() and data.is_file() and not shows_images(data) else None


def _framings(faces: Faces, entry: Path) -> NDArray[np.float32]:
    path = entry / _FRAMINGS
    if not path.is_file():
        partial = path.with_suffix(".partial.npy")
        np.save(partial, measure_framings(faces.images))
        partial.rename(path)
    return np.asarray(np.load(path))


def _read(data: Path, votes: Path | None, classes: ClassOptions) -> Faces:
    if are_sheets(data):
        if votes is not None:
            raise DatasetError(
                "Contact sheets hold their votes already. Leave out the file of votes."
            )
        return read_sheets(data)
    if data.is_dir():
        images, labels, splits = read_folder(data, classes)
    elif shows_images(data):
        images, labels, splits = read_zip(data, classes)
    else:
        images, labels, splits = read_table(data)
    shares = np.zeros((len(labels), len(EMOTIONS)), np.float32)
    is_face = np.ones(len(labels), np.bool_)
    if votes is not None:
        shares, is_face = read_votes(votes, splits)
    files = [data] if votes is None else [data, votes]
    sources = {file.name: _sha256(file) for file in files if file.is_file()}
    return Faces(images, labels, splits, shares, is_face, group_duplicates(images), sources)


def shows_images(data: Path) -> bool:
    """Whether this is a folder or a zip of images rather than a CSV."""
    return data.is_dir() or (zipfile.is_zipfile(data) and not zipped_csv(data))


def _fingerprint(files: list[Path], classes: ClassOptions) -> str:
    """A name for the cache entry that changes whenever a file, or a file in a folder, does."""
    digest = hashlib.sha256(str(_CACHE_VERSION).encode())
    if classes != STRICT:
        digest.update(repr(classes).encode())
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
