"""Cleans up after crashes: folders of uploads and runs without a row."""

import logging
import shutil
import time
import uuid
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import models

from training import files
from training.models import Dataset, ModelImport, TrainingRun

logger = logging.getLogger(__name__)

FOLDERS: dict[str, type[models.Model]] = {
    "datasets": Dataset,
    "imports": ModelImport,
    "runs": TrainingRun,
}
"""The folders of TRAINING_DIR; each has one folder per row, named by its key."""

KEPT_SECONDS = 3600  # an upload is stored before its row; by then the row exists


def delete_leftovers() -> None:
    """Delete folders whose row was never stored or was deleted."""
    delete_local()
    for name, model in FOLDERS.items():
        _delete_shared(name, model)


def delete_local() -> None:
    """The same on this host alone: what it fetched of data sets that are gone."""
    for name, model in FOLDERS.items():
        old = {key: path for path in _folders(name) if (key := _old_key(path))}
        known = set(model._default_manager.filter(pk__in=old).values_list("pk", flat=True))
        for key in old.keys() - known:
            shutil.rmtree(old[key], ignore_errors=True)
            logger.warning("Deleted the orphaned folder %s", old[key])


def _delete_shared(name: str, model: type[models.Model]) -> None:
    """The same in object storage, where files are as old as they were sent."""
    newest: dict[Path, float] = {}
    for path in files.shared(name):
        sent = default_storage.get_modified_time(files.name_of(path)).timestamp()
        folder = settings.TRAINING_DIR / name / path.relative_to(settings.TRAINING_DIR).parts[1]
        newest[folder] = max(sent, newest.get(folder, 0))
    old = {key: path for path, sent in newest.items() if (key := _key(path, sent))}
    known = set(model._default_manager.filter(pk__in=old).values_list("pk", flat=True))
    for key in old.keys() - known:
        files.delete(old[key])
        logger.warning("Deleted the orphaned folder %s from the object storage", old[key])


def _folders(name: str) -> list[Path]:
    folder = settings.TRAINING_DIR / name
    return list(folder.iterdir()) if folder.is_dir() else []


def _old_key(path: Path) -> uuid.UUID | None:
    try:
        return _key(path, path.stat().st_mtime)
    except OSError:  # gone meanwhile
        return None


def _key(path: Path, changed_at: float) -> uuid.UUID | None:
    """The key in a folder's name; None if it is recent or not Mien's."""
    if changed_at > time.time() - KEPT_SECONDS:
        return None
    try:
        return uuid.UUID(path.name)
    except ValueError:
        return None
