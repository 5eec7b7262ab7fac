"""Reads a backup into an empty site."""

import contextlib
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import IO, Any, cast

from django.apps import apps as current_apps
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from recognition import storage
from recognition.backup import encryption
from recognition.backup.contents import (
    CHECKSUMS,
    FORMAT,
    IN_MEMORY,
    KEY,
    MANIFEST,
    ROWS_AT_ONCE,
    BackupError,
    Hashing,
    Summary,
    folders,
    models_of,
)


def restore(source: IO[bytes], identities: Iterable[str] = (), *, passphrase: str = "") -> Summary:
    """Fill this empty site from a backup; all rows are there afterwards, or none.

    A backup of an older version is migrated. `identities` are age secret keys. Raises BackupError.
    """
    with encryption.decrypted(source, list(identities), passphrase) as plain:
        try:
            with tarfile.open(fileobj=plain, mode="r|") as tar:
                return _read_tar(tar, plain)
        except tarfile.TarError as error:
            message = "This file is no backup of Mien, or its end is missing."
            raise BackupError("unreadable", message) from error


def _read_tar(tar: tarfile.TarFile, source: IO[bytes]) -> Summary:
    members = iter(tar)
    first = next(members, None)
    if first is None or first.name != MANIFEST:
        raise BackupError("unreadable", "This file is no backup of Mien.")
    reading = _Reading(tar)
    manifest = json.loads(reading.content(first))
    _check(manifest)
    executor = MigrationExecutor(connection)
    states = _state_of(executor, manifest["migrations"])
    models = {model._meta.db_table: model for model in models_of(states)}
    with connection.constraint_checks_disabled(), transaction.atomic():
        _empty(models.values())
        checksums: dict[str, str] = {}
        for member in members:
            if member.name == CHECKSUMS:
                checksums = json.loads(reading.content(member))
            elif member.name.startswith("tables/"):
                table = PurePosixPath(member.name).stem
                if table not in models:
                    raise BackupError("damaged", f"This backup holds an unknown table: {table}.")
                with reading.open(member) as rows:
                    reading.summary.rows[table] = _read_rows(models[table], rows)
            else:
                with reading.open(member) as file:
                    _store(member.name, file)
                reading.summary.files += 1
                reading.summary.bytes += member.size
        while source.read(1 << 20):
            pass  # the end of an encrypted backup shows whether it is whole
        _verify(reading, checksums, manifest)
        connection.check_constraints()
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(models.values())):
            cursor.execute(statement)
    call_command("migrate", interactive=False, verbosity=0)
    return reading.summary


def _check(manifest: dict[str, Any]) -> None:
    if manifest.get("format", 0) > FORMAT:
        raise BackupError("too_new", "This backup is from a newer version of Mien. Upgrade first.")
    if current_apps.get_model("auth", "User")._base_manager.exists():
        message = "This site has accounts already. Restore into an empty data folder and database."
        raise BackupError("not_empty", message)


def _state_of(executor: MigrationExecutor, applied: list[list[str]]) -> Any:
    """Bring the empty database to the backup's migrations; its models as they were then."""
    graph = executor.loader.graph
    known = {app for app, _ in graph.nodes}
    wanted = {(app, name) for app, name in applied if app in known}
    if unknown := wanted - set(graph.nodes):
        names = ", ".join(sorted(f"{app}.{name}" for app, name in unknown))
        message = f"This backup is from a newer version of Mien ({names}). Upgrade first."
        raise BackupError("too_new", message)
    leaves = [
        key for key in wanted if not set(graph.node_map[key].children) & _nodes(graph, wanted)
    ]
    executor.migrate(leaves or list(wanted))
    return MigrationExecutor(connection).loader.project_state(leaves).apps


def _nodes(graph: Any, keys: set[tuple[str, str]]) -> set[Any]:
    return {graph.node_map[key] for key in keys}


def _empty(models: Iterable[Any]) -> None:
    with connection.cursor() as cursor:
        for model in models:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")


def _read_rows(model: Any, lines: IO[bytes]) -> int:
    columns = json.loads(next(lines))
    by_column = {one.column: one for one in model._meta.concrete_fields}
    fields = [by_column[column] for column in columns]
    quote = connection.ops.quote_name
    statement = (
        f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(map(quote, columns))}) "
        f"VALUES ({', '.join(['%s'] * len(columns))})"
    )
    count = 0
    with connection.cursor() as cursor:
        while rows := [_row(fields, line) for line in _take(lines, ROWS_AT_ONCE)]:
            cursor.executemany(statement, rows)
            count += len(rows)
    return count


def _take(lines: IO[bytes], count: int) -> list[bytes]:
    return [line for _, line in zip(range(count), lines, strict=False)]


def _row(fields: list[Any], line: bytes) -> list[Any]:
    return [
        one.get_db_prep_save(None if value is None else one.to_python(value), connection)
        for one, value in zip(fields, json.loads(line), strict=True)
    ]


def _store(name: str, content: IO[bytes]) -> None:
    """Put a file where it was. Names that lead elsewhere are refused."""
    if name == KEY:
        path = settings.DATA_DIR / "secret_key"
        path.unlink(missing_ok=True)
        with open(path, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            shutil.copyfileobj(content, file)
        return
    top, folder, *rest = PurePosixPath(name).parts
    if top != "files" or not rest or ".." in rest or name.startswith("/"):
        raise BackupError("damaged", f"This backup holds a file with an impossible name: {name!r}.")
    inside = "/".join(rest)
    if folder == "media" and inside.startswith(storage.TRAINING) and not storage.is_remote():
        folder, inside = "training", inside.removeprefix(storage.TRAINING)
    elif folder == "training" and storage.is_remote():  # where all hosts find it
        folder, inside = "media", storage.TRAINING + inside
    if folder == "media":
        default_storage.delete(inside)  # of the network that ships with the code
        default_storage.save(inside, File(content))
    elif folder in folders():
        path = folders()[folder] / inside
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with path.open("wb") as file:
            shutil.copyfileobj(content, file)
        path.chmod(0o600)


def _verify(reading: "_Reading", checksums: dict[str, str], manifest: dict[str, Any]) -> None:
    """Compare what was read with the checksums; files that only were listed with the storage."""
    if not checksums:
        raise BackupError("incomplete", "The end of this backup is missing. Use another one.")
    wrong = [name for name, digest in reading.digests.items() if checksums.get(name) != digest]
    if wrong or manifest["rows"] != reading.summary.rows:
        raise BackupError(
            "damaged", "This backup is damaged: a checksum is wrong. Use another one."
        )
    for name in checksums.keys() - reading.digests.keys():
        if not default_storage.exists(name.removeprefix("files/media/")):
            reading.summary.missing.append(name)


class _Reading:
    """The members of a tar as they are read, with their checksums."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self.tar, self.summary = tar, Summary()
        self.digests: dict[str, str] = {}

    @contextlib.contextmanager
    def open(self, member: tarfile.TarInfo) -> Iterator[IO[bytes]]:
        """The content of a member, in a temporary file that can be read again."""
        found = self.tar.extractfile(member)
        if found is None:
            raise BackupError("damaged", f"{member.name} in this backup is no file.")
        hashing = Hashing(found)
        with tempfile.SpooledTemporaryFile(IN_MEMORY, dir=str(settings.INCOMING_DIR)) as content:
            shutil.copyfileobj(cast(IO[bytes], hashing), content)
            if member.name != CHECKSUMS:
                self.digests[member.name] = hashing.digest.hexdigest()
            content.seek(0)
            yield cast(IO[bytes], content)

    def content(self, member: tarfile.TarInfo) -> bytes:
        with self.open(member) as file:
            return file.read()
