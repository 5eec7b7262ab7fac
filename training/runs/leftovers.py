"""Cleans up after crashes: folders of uploads and runs without a row."""

import logging
import shutil
import time
import uuid
from pathlib import Path

from django.conf import settings
from django.db import models

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
    for name, model in FOLDERS.items():
        old = {key: path for path in _folders(name) if (key := _old_key(path))}
        known = set(model._default_manager.filter(pk__in=old).values_list("pk", flat=True))
        for key in old.keys() - known:
            shutil.rmtree(old[key], ignore_errors=True)
            logger.warning("Deleted the orphaned folder %s", old[key])


def _folders(name: str) -> list[Path]:
    folder = settings.TRAINING_DIR / name
    return list(folder.iterdir()) if folder.is_dir() else []


def _old_key(path: Path) -> uuid.UUID | None:
    """The key in a folder's name; None if it is recent or not Mien's."""
    try:
        key, changed_at = uuid.UUID(path.name), path.stat().st_mtime
    except (ValueError, OSError):  # or gone meanwhile
        return None
    return key if changed_at < time.time() - KEPT_SECONDS else None
