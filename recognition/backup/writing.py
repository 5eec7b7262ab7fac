"""Writes a backup."""

import base64
import contextlib
import functools
import io
import json
import tarfile
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any, cast

from django.apps import apps as current_apps
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from recognition import storage
from recognition.backup import encryption
from recognition.backup.contents import (
    CHECKSUMS,
    FORMAT,
    KEY,
    MANIFEST,
    ROWS_AT_ONCE,
    BackupError,
    Hashing,
    Summary,
    digest_of,
    folders,
    models_of,
)


def write(
    output: IO[bytes],
    recipients: Iterable[str] = (),
    *,
    passphrase: str = "",
    files: bool = True,
) -> Summary:
    """Write a backup, encrypted for these age public keys, or by a passphrase, if there are any.

    Without `files`, media files are listed with their checksums, but not included: for storage
    that is backed up in its own way. Raises BackupError (bad_key, bad_passphrase, not_migrated).
    """
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        message = "The database is of an older version: run manage.py migrate first."
        raise BackupError("not_migrated", message)
    with encryption.encrypted(output, list(recipients), passphrase) as opened:
        return _write_tar(opened, files)


def _write_tar(output: IO[bytes], with_files: bool) -> Summary:
    summary, checksums = Summary(), {}
    with tarfile.open(fileobj=output, mode="w|") as tar:

        def add(name: str, content: IO[bytes], size: int) -> None:
            hashing = Hashing(content)
            info = tarfile.TarInfo(name)
            info.size = size
            info.mode = 0o600
            tar.addfile(info, cast(IO[bytes], hashing))
            checksums[name] = hashing.digest.hexdigest()

        def add_json(name: str, value: object) -> None:
            content = json.dumps(value, indent=1).encode()
            add(name, io.BytesIO(content), len(content))

        with _snapshot():
            tables = {model._meta.db_table: model for model in models_of(current_apps)}
            summary.rows = {name: model._base_manager.count() for name, model in tables.items()}
            manifest = {"format": FORMAT, "migrations": _migrations(), "rows": summary.rows}
            add_json(MANIFEST, {**manifest, "files": with_files})
            for name, model in tables.items():
                with tempfile.TemporaryFile(dir=settings.INCOMING_DIR) as rows:
                    _write_rows(model, rows)
                    size = rows.tell()
                    rows.seek(0)
                    add(f"tables/{name}.jsonl", rows, size)
        for name, opened in _stored_files():
            try:
                with opened() as file:
                    size = file.seek(0, io.SEEK_END)
                    file.seek(0)
                    if with_files or not name.startswith("files/media/"):
                        add(name, file, size)
                    else:
                        checksums[name] = digest_of(file)
            except FileNotFoundError:
                summary.missing.append(name)
                continue
            summary.files += 1
            summary.bytes += size
        add_json(CHECKSUMS, checksums)
    return summary


@contextlib.contextmanager
def _snapshot() -> Iterator[None]:
    """Read the database as it is at one moment, without holding up those who write."""
    if connection.vendor == "sqlite":
        # A transaction of Django's would take the write lock.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
    else:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield


def _migrations() -> list[list[str]]:
    return sorted(list(key) for key in MigrationExecutor(connection).loader.applied_migrations)


def _write_rows(model: Any, output: IO[bytes]) -> None:
    fields = model._meta.concrete_fields
    output.write(_line([one.column for one in fields]))
    names = [one.attname for one in fields]
    for row in model._base_manager.order_by("pk").values_list(*names).iterator(ROWS_AT_ONCE):
        output.write(_line(row))


def _line(values: Iterable[Any]) -> bytes:
    text = json.dumps(list(values), default=_plain, separators=(",", ":"))
    return text.encode() + b"\n"


def _plain(value: object) -> str:
    """What JSON has no word for, as the fields of Django read it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    raise TypeError(f"{type(value).__name__} can't be backed up")


def _stored_files() -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """The name in a backup of each stored file, and what opens it."""
    for name in storage.names():
        yield f"files/media/{name}", functools.partial(_open_stored, name)
    for folder, path in folders().items():
        for file in sorted(path.rglob("*")):
            if file.is_file() and not file.is_symlink():
                inside = file.relative_to(path).as_posix()
                if folder == "training" and storage.is_shared(inside):
                    continue
                yield f"files/{folder}/{inside}", functools.partial(_open_file, file)
    if (key := settings.DATA_DIR / "secret_key").is_file():
        yield KEY, functools.partial(_open_file, key)


def _open_file(path: Path) -> IO[bytes]:
    return path.open("rb")


def _open_stored(name: str) -> IO[bytes]:
    return cast(IO[bytes], default_storage.open(name))
