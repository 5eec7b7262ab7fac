"""The stored files of jobs: deleted with their rows, and swept where a crash left them behind."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import PurePath
from typing import cast

from django.core.files.storage import default_storage
from django.db.models import FileField
from django.utils import timezone

from recognition import storage
from recognition.jobs.kinds import KINDS
from recognition.models import Job

# A file this old without a row belongs to nobody: a crash or a deleted account left it behind.
ORPHANED_AFTER = timedelta(hours=1)


def clean_name(name: str, otherwise: str = "photo") -> str:
    """A file name without folders and control characters, at most 200 characters."""
    base = PurePath(name.replace("\\", "/")).name
    printable = "".join(char for char in base if char.isprintable()).strip()
    return otherwise if printable in {"", ".."} else printable[:200]


def delete_files(names: Iterable[str | None]) -> None:
    for name in filter(None, names):
        default_storage.delete(name)


def delete_orphans() -> int:
    """Delete the files of all kinds that no row names any more; gives their number."""
    return sum(
        _delete_orphans_of(kind.model, field) for kind in KINDS.values() for field in kind.files
    )


def _delete_orphans_of(model: type[Job], field: str) -> int:
    folder = cast(FileField, model._meta.get_field(field)).upload_to
    rows = model._default_manager.exclude(**{field: ""})
    kept = set(rows.values_list(field, flat=True))
    deleted = 0
    for name in storage.names(folder=f"{folder}/"):
        age = timezone.now() - default_storage.get_modified_time(name)
        if name not in kept and age > ORPHANED_AFTER:
            default_storage.delete(name)
            deleted += 1
    return deleted
