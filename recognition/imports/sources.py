"""Where an import takes its files from: a folder, a zip, objects of the S3 server, one by one."""

import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from django.conf import settings

from recognition import objects
from recognition.engine.errors import CodedError


class SourceError(CodedError):
    """A source that can't be read. Codes: not_found, outside, not_a_source, unreadable, disk_full.

    The last one is said of this machine: a video had no room on its way.
    """


@dataclass(frozen=True)
class Entry:
    """A file of a source: its path inside, its size in bytes, and what opens it."""

    path: str
    size: int
    open: Callable[[], IO[bytes]]


Entries = Iterator[Entry]


def allowed(source: str) -> str:
    """A source that may be imported through the API: in IMPORTS_DIR, or in an IMPORT_BUCKETS.

    Paths are relative to that folder or absolute. Raises SourceError.
    """
    if not objects.is_address(source):
        return str(_allowed_path(source))
    address = _address(source)
    if not any(_within(address, place) for place in settings.IMPORT_BUCKETS):
        message = "Only buckets that MIEN_IMPORT_BUCKETS names can be imported."
        raise SourceError("outside", message, "source")
    with opened(source) as entries:
        if next(entries, None) is None:
            raise SourceError("not_found", f"There is nothing at {address}.", "source")
    return source


def _allowed_path(source: str) -> Path:
    """Links are followed, and anything outside is refused."""
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


def _within(address: objects.Address, place: str) -> bool:
    """Whether an address is in a place such as bucket or bucket/folder."""
    bucket, _, folder = place.strip("/").partition("/")
    inside = address.key == folder or address.key.startswith(f"{folder}/") or not folder
    return address.bucket == bucket and inside and ".." not in address.key.split("/")


def _address(source: str) -> objects.Address:
    try:
        address = objects.address_of(source)
    except ValueError as error:
        raise SourceError("not_a_source", str(error), "source") from error
    if settings.S3 and address.bucket == settings.S3["bucket_name"]:
        message = "This is the bucket of the site's own files. Import from another one."
        raise SourceError("outside", message, "source")
    return address


@contextmanager
def opened(source: str) -> Iterator[Entries]:
    """The files of a folder, a zip or a bucket, in the order of their paths.

    Raises SourceError, and errors of the S3 server that `storage.is_trouble` knows.
    """
    if objects.is_address(source):
        address, server = _address(source), objects.client()
        if not address.key.lower().endswith(".zip"):
            yield _list_objects(server, address)
            return
        with ExitStack() as stack:
            with _found(address):
                file = stack.enter_context(objects.reading(address))
            yield stack.enter_context(_unzipped(file))
        return
    path = Path(source)
    if path.is_dir():
        yield _walk(path)
    elif zipfile.is_zipfile(path):
        with path.open("rb") as file, _unzipped(file) as entries:
            yield entries
    elif path.exists():
        message = "This is neither a folder nor a zip. Unpack other archives first."
        raise SourceError("not_a_source", message, "source")
    else:
        raise SourceError("not_found", f"There is no {path} on this server.", "source")


@contextmanager
def _found(address: objects.Address) -> Iterator[None]:
    """Say what is wrong with an address in our own words, where the server has said no."""
    try:
        yield
    except FileNotFoundError as error:
        raise SourceError("not_found", f"There is no {address}.", "source") from error
    except Exception as error:
        answer = cast(Any, error).response if hasattr(error, "response") else {}
        code = answer.get("Error", {}).get("Code", "")
        if code == "NoSuchBucket":
            message = f"There is no bucket {address.bucket}."
            raise SourceError("not_found", message, "source") from error
        if code in ("AccessDenied", "Forbidden", "403"):
            message = f"The keys of this site may not read {address}."
            raise SourceError("unreadable", message, "source") from error
        raise


@contextmanager
def _unzipped(file: IO[bytes]) -> Iterator[Entries]:
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError) as error:
        raise SourceError("unreadable", f"The zip can't be read: {error}.") from error
    with archive:
        yield _list(archive)


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
        if info.is_dir() or parts[0] == "__MACOSX" or _hidden(info.filename):
            continue
        yield Entry(printable(info.filename), info.file_size, lambda info=info: archive.open(info))  # type: ignore[misc]


def _list_objects(server: Any, address: objects.Address) -> Entries:
    """What is below an address, as if it were a folder."""
    folder = objects.Address(address.bucket, f"{address.key.rstrip('/')}/" if address.key else "")
    listing = objects.listed(server, folder)
    while True:
        with _found(address):
            found = next(listing, None)
        if found is None:
            return
        inside = found.address.key.removeprefix(folder.key)
        if not inside or inside.endswith("/") or _hidden(inside):
            continue
        yield Entry(
            printable(inside),
            found.size,
            lambda found=found: cast(IO[bytes], objects.Reading(server, found)),  # type: ignore[misc]
        )


def _hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))


def printable(name: str) -> str:
    """A name that any database accepts: file systems allow bytes that are no text."""
    return os.fsencode(name).decode(errors="replace").replace("\0", "")
