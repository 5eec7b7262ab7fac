"""Where an import takes its photos from: a folder or a zip, one file after another."""

import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.conf import settings

from recognition.engine.errors import CodedError


class SourceError(CodedError):
    """A source that can't be read. Codes: not_found, outside, not_a_source, unreadable."""


@dataclass(frozen=True)
class Entry:
    """A file of a source: its path inside, its size in bytes, and what opens it."""

    path: str
    size: int
    open: Callable[[], IO[bytes]]


Entries = Iterator[Entry]


def allowed_path(source: str) -> Path:
    """The path of a source in IMPORTS_DIR, given relative to it or absolute.

    Links are followed, and anything outside is refused. Raises SourceError.
    """
    folder = settings.IMPORTS_DIR.resolve()
    try:
        path = (folder / source).resolve()
    except (OSError, ValueError):
        path = folder.parent
    if not path.is_relative_to(folder):
        message = f"Only what is in {folder} can be imported. Put the folder or zip there."
        raise SourceError("outside", message, "source")
    if not path.exists():
        raise SourceError("not_found", f"There is no {source!r} in {folder}.", "source")
    return path


@contextmanager
def opened(path: Path) -> Iterator[Entries]:
    """The files of a folder or zip, in the order of their paths. Raises SourceError."""
    if path.is_dir():
        yield _walk(path)
    elif zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                yield _list(archive)
        except (zipfile.BadZipFile, OSError) as error:
            raise SourceError("unreadable", f"The zip can't be read: {error}.") from error
    elif path.exists():
        message = "This is neither a folder nor a zip. Unpack other archives first."
        raise SourceError("not_a_source", message, "source")
    else:
        raise SourceError("not_found", f"There is no {path} on this server.", "source")


def _walk(root: Path) -> Entries:
    """Without hidden files and links: a link could lead anywhere."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(folder, name)
            if name.startswith(".") or file.is_symlink() or not file.is_file():
                continue
            inside = file.relative_to(root).as_posix()
            yield Entry(printable(inside), file.stat().st_size, lambda file=file: file.open("rb"))  # type: ignore[misc]


def _list(archive: zipfile.ZipFile) -> Entries:
    for info in sorted(archive.infolist(), key=lambda info: info.filename):
        parts = info.filename.split("/")
        # macOS adds a folder of its own beside what was packed.
        if info.is_dir() or parts[0] == "__MACOSX" or any(part.startswith(".") for part in parts):
            continue
        yield Entry(printable(info.filename), info.file_size, lambda info=info: archive.open(info))  # type: ignore[misc]


def printable(name: str) -> str:
    """A name that any database accepts: file systems allow bytes that are no text."""
    return os.fsencode(name).decode(errors="replace").replace("\0", "")
