"""Where a backup is written to and read from: a file, a pipe, an object of the S3 server."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from recognition import objects, storage
from recognition.backup.contents import BackupError


@contextmanager
def written(place: str) -> Iterator[IO[bytes]]:
    """A new file at a path, s3://bucket/key, or - for standard output.

    Complete or not there: a backup that was broken off must not look like one. Raises BackupError
    (no_place) and OSError.
    """
    if place == "-":
        yield sys.stdout.buffer
    elif objects.is_address(place):
        with _trouble_as_oserror(), objects.writing(_object(place)) as upload:
            yield upload
    else:
        output = Path(place)
        part = output.with_name(f".{output.name}.part")
        try:
            with open(part, "wb") as file:
                part.chmod(0o600)
                yield file
            part.rename(output)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def read(place: str) -> Iterator[IO[bytes]]:
    """The file at such a place; - is standard input. Raises BackupError (no_place) and OSError."""
    if place == "-":
        yield sys.stdin.buffer
    elif objects.is_address(place):
        with _trouble_as_oserror(), objects.reading(_object(place)) as download:
            yield download
    else:
        with open(place, "rb") as file:
            yield file


def passphrase(path: Path | None) -> str:
    """The first line of a file, - is standard input; nothing without a file.

    Raises BackupError (bad_passphrase).
    """
    if path is None:
        return ""
    if str(path) == "-":
        line = sys.stdin.buffer.readline().decode().rstrip("\r\n")  # what follows may be a backup
    else:
        with path.open(encoding="utf-8") as file:
            line = file.readline().rstrip("\r\n")
        if path.is_file() and path.stat().st_mode & 0o077:
            print(f"Others on this machine can read {path}: chmod 600 {path}", file=sys.stderr)
    if not line:
        raise BackupError("bad_passphrase", f"The first line of {path} is to be the passphrase.")
    return line


def _object(place: str) -> objects.Address:
    try:
        address = objects.address_of(place)
    except ValueError as error:
        raise BackupError("no_place", str(error)) from error
    if not address.key:
        raise BackupError("no_place", f"Name the backup, too: {place.rstrip('/')}/mien.tar.age")
    return address


@contextmanager
def _trouble_as_oserror() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not storage.is_trouble(error):
            raise
        raise OSError(str(error)) from error
