"""What a backup consists of, for those that write and read it."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from recognition.engine.errors import CodedError

FORMAT = 1
MANIFEST, CHECKSUMS, KEY = "manifest.json", "checksums.json", "files/secret_key"
# Sessions are only who is signed in where.
LEFT_OUT = {"django_session"}
ROWS_AT_ONCE = 1000
IN_MEMORY = 8 * 1024**2  # bytes of a file; a larger one passes through the disk


class BackupError(CodedError):
    """A backup that can't be made or read.

    Codes: unreadable, encrypted, wrong_key, incomplete, damaged, too_new, not_empty, bad_key,
    bad_passphrase, no_place, not_migrated.
    """


@dataclass
class Summary:
    """What a backup holds: rows by table, files and their bytes; and files that were gone."""

    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0
    bytes: int = 0
    missing: list[str] = field(default_factory=list)


def models_of(apps: Any) -> list[Any]:
    """Every model with a table of its own."""
    models = apps.get_models(include_auto_created=True, include_swapped=True)
    own = [model for model in models if model._meta.managed and not model._meta.proxy]
    return [model for model in own if model._meta.db_table not in LEFT_OUT]


def folders() -> dict[str, Path]:
    """Folders beside the storage, by their names in a backup."""
    return {
        "uploads": settings.UPLOADS_DIR,
        "training": settings.TRAINING_DIR,
        "datasets": settings.DATASETS_DIR,
    }


class Hashing:
    """A file that is read once, and its SHA-256."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        content = self.file.read(size)
        self.digest.update(content)
        return content


def digest_of(file: IO[bytes]) -> str:
    hashing = Hashing(file)
    while hashing.read(1 << 20):
        pass
    return hashing.digest.hexdigest()
