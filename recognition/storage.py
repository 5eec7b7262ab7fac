"""Stored files, whether they are in a folder of this machine or in object storage (S3).

Django's storage opens, saves and deletes them. This adds what needs a path, as decoders of videos
do, and what is better done by the storage itself, such as sending a range.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, Storage, default_storage, storages

URL_SECONDS = 60
"""How long an address that was given out after a permission check opens a file."""

BACKUPS = "backups/"
"""Where backups may be beside the site's files."""

TRAINING = "training/"
"""Where in object storage the files of TRAINING_DIR are, which all hosts share."""


def is_remote() -> bool:
    """Whether files are in object storage, and not in a folder."""
    return not isinstance(storages["default"], FileSystemStorage)


@contextmanager
def local(name: str) -> Iterator[Path]:
    """A path at which a stored file can be read while the block lasts.

    From object storage, files come to a cache on this machine: a video is read by many tasks.
    Raises FileNotFoundError.
    """
    if not is_remote():
        yield Path(default_storage.path(name))
        return
    folder = settings.MEDIA_CACHE_DIR
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    cached = folder / hashlib.sha256(name.encode()).hexdigest()
    # A name of its own for each user of the file: what is evicted meanwhile stays readable here.
    with tempfile.TemporaryDirectory(dir=folder, prefix="use-") as own:
        path = Path(own, Path(name).name)
        try:
            os.link(cached, path)
            os.utime(cached)
        except FileNotFoundError:
            download(name, path)
            with suppress(FileExistsError):
                os.link(path, cached)
            _evict(folder)
        yield path


def _evict(folder: Path) -> None:
    """Delete what was not used for the longest time, until the cache has its size."""
    found = [(file.stat().st_mtime, file.stat().st_size, file) for file in folder.glob("?" * 64)]
    room = settings.MEDIA_CACHE_BYTES
    for _used, size, file in sorted(found, reverse=True):
        room -= size
        if room < 0:
            file.unlink(missing_ok=True)


def scratch(name: str) -> Path:
    """Where to write a file on this machine before `put` brings it to its name."""
    if not is_remote():
        place = Path(default_storage.path(name))
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return place.with_suffix(".partial")
    return settings.INCOMING_DIR / f"{name.replace('/', '-')}.partial"


def put(path: Path, name: str, *, keep: bool = False) -> None:
    """Store a file of this machine under exactly this name; it is gone there unless `keep`."""
    if not is_remote():
        place = Path(default_storage.path(name))
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        (shutil.copyfile if keep else shutil.move)(path, place)
        place.chmod(settings.FILE_UPLOAD_PERMISSIONS)
        return
    default_storage.delete(name)
    with path.open("rb") as file:
        default_storage.save(name, File(file))
    if not keep:
        path.unlink()


def replace(path: Path, name: str) -> None:
    """Send a file of this machine to object storage, over what has the name; it stays here."""
    cast(Any, default_storage).bucket.Object(name).upload_file(str(path))


def is_shared(name: str) -> bool:
    """Whether a file of TRAINING_DIR is in object storage."""
    return is_remote() and default_storage.exists(TRAINING + name)


def download(name: str, path: Path) -> None:
    """Write a file of object storage to a path, piece by piece. Raises FileNotFoundError."""
    stored = cast(Any, default_storage).bucket.Object(name)
    try:
        stored.download_file(str(path))
    except stored.meta.client.exceptions.ClientError as error:
        if error.response.get("Error", {}).get("Code") not in ("404", "NoSuchKey"):
            raise
        raise FileNotFoundError(name) from error


def open_range(name: str, begin: int, end: int) -> IO[bytes]:
    """The bytes from `begin` to `end`, both included. Raises FileNotFoundError."""
    if not is_remote():
        file = default_storage.open(name)
        file.seek(begin)
        return cast(IO[bytes], _Part(file, end - begin + 1))
    stored = cast(Any, default_storage).bucket.Object(name)
    try:
        return cast(IO[bytes], stored.get(Range=f"bytes={begin}-{end}")["Body"])
    except stored.meta.client.exceptions.NoSuchKey as error:
        raise FileNotFoundError(name) from error


class _Part:
    """The next `left` bytes of a file, as a file."""

    def __init__(self, file: Any, left: int) -> None:
        self.file, self.left = file, left

    def read(self, size: int = -1) -> bytes:
        wanted = self.left if size < 0 else min(size, self.left)
        piece: bytes = self.file.read(wanted)
        self.left -= len(piece)
        return piece

    def close(self) -> None:
        self.file.close()


def signed_url(name: str, content_type: str, disposition: str = "") -> str:
    """An address of the object storage that opens this one file for a minute."""
    parameters = {"ResponseContentType": content_type, "ResponseCacheControl": "private, no-store"}
    if disposition:
        parameters["ResponseContentDisposition"] = disposition
    url = cast(Any, default_storage).url(name, parameters=parameters, expire=URL_SECONDS)
    return str(url)


def check() -> None:
    """Raises OSError, or an error that `is_trouble` knows, if nothing can be stored."""
    if is_remote():
        default_storage.exists("ready")
        return
    settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=settings.MEDIA_ROOT) as file:
        file.write(b"ready")


def is_trouble(error: BaseException) -> bool:
    """Whether the object storage did not answer, or refused."""
    return type(error).__module__.partition(".")[0] in {"boto3", "botocore", "s3transfer"}


def names(
    storage: Storage = default_storage, folder: str = "", without: tuple[str, ...] = (BACKUPS,)
) -> Iterator[str]:
    """The names of all files of a storage, in order. Backups are none of the site's files."""
    with suppress(FileNotFoundError):
        folders, files = storage.listdir(folder)
        for name in sorted(filter(None, files)):
            yield f"{folder}{name}"
        for name in sorted(folders):
            if f"{folder}{name}/" not in without:
                yield from names(storage, f"{folder}{name}/", without)


def folder(path: Path) -> Storage:
    """A storage in a folder, whatever the site uses."""
    return FileSystemStorage(location=path)


def bucket(options: dict[str, Any]) -> Storage:
    """A storage in a bucket, with the options of the settings."""
    from storages.backends.s3 import S3Storage

    return cast(Storage, S3Storage(**options))


def copy(name: str, source: Storage, target: Storage) -> int | None:
    """Copy a file unless the target has the same content; gives its bytes, None if it has.

    Raises OSError if what arrived is not what was sent.
    """
    wanted = _digest(source, name)
    if target.exists(name):
        if target.size(name) == source.size(name) and _digest(target, name) == wanted:
            return None
        target.delete(name)
    with source.open(name) as content:
        target.save(name, content)
    if _digest(target, name) != wanted:
        target.delete(name)
        raise OSError(f"{name} arrived with another checksum")
    return target.size(name)


def _digest(storage: Storage, name: str) -> str:
    with storage.open(name) as file:
        return hashlib.file_digest(cast(Any, file), "sha256").hexdigest()
