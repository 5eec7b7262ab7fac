"""Orphaned folders are deleted, and no others."""

import os
import time
import uuid
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.training.conftest import started
from tests.training.drawing import write_csv
from tests.training.weights import npz
from training.datasets import intake as dataset_intake
from training.runs import leftovers, tasks
from training.versions import imports
from training.versions import intake as version_intake

pytestmark = pytest.mark.django_db


def folder(kind: str, name: str, age: float = 2 * leftovers.KEPT_SECONDS) -> Path:
    """A folder with a file, last changed this many seconds ago."""
    path = settings.TRAINING_DIR / kind / name
    path.mkdir(parents=True, exist_ok=True)
    (path / "faces.csv").write_text("a part of it")
    os.utime(path, (time.time() - age,) * 2)
    return path


@pytest.mark.parametrize("kind", leftovers.FOLDERS)
def test_a_folder_without_a_row_is_deleted(kind):
    left = folder(kind, str(uuid.uuid4()))
    tasks.delete_leftovers()

    assert not left.exists()


def test_what_belongs_to_a_row_stays(admin, dataset, tmp_path):
    upload = SimpleUploadedFile(
        "other.csv", write_csv(tmp_path / "other.csv", count=70).read_bytes()
    )
    upload.too_large = False
    stored, _created = dataset_intake.add_upload(admin, upload)
    run = started(admin, dataset)
    found = version_intake.add(admin, "a.npz", npz(np.ones(1)), architecture="simple_cnn")
    kept = [folder("datasets", str(stored.pk)), folder("runs", str(run.pk))]
    kept.append(folder("imports", str(found.pk)))
    tasks.delete_leftovers()

    assert all(path.exists() for path in [*kept, Path(stored.path), imports.folder_of(found)])


def test_what_is_being_uploaded_and_what_is_not_ours_stay():
    kept = [folder("datasets", str(uuid.uuid4()), age=60), folder("datasets", "my faces")]
    tasks.delete_leftovers()

    assert all(path.exists() for path in kept)
