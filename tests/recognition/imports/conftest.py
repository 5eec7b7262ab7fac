"""Fixtures of imports: a folder of files good and bad, and the worker's part."""

from pathlib import Path

import pytest

from recognition.imports import tasks
from recognition.models import MediaImport
from tests.recognition.uploads import animation, picture


@pytest.fixture
def folder(tmp_path, settings) -> Path:
    """Photos good and bad in the folder for imports."""
    settings.IMPORTS_DIR = tmp_path / "imports"
    root = settings.IMPORTS_DIR / "study"
    (root / "day 1").mkdir(parents=True)
    (root / ".hidden").mkdir()
    (root / "day 1" / "one.jpg").write_bytes(picture(64, 48, "JPEG"))
    (root / "day 1" / "same.jpg").write_bytes(picture(64, 48, "JPEG"))
    (root / "two.png").write_bytes(picture(64, 48, "PNG"))
    (root / "moving.gif").write_bytes(animation())
    (root / "notes.txt").write_text("no picture")
    (root / "empty.jpg").touch()
    (root / ".hidden" / "thumb.jpg").write_bytes(picture(70, 48, "JPEG"))
    (root / "link.jpg").symlink_to("/etc/passwd")
    return root


@pytest.fixture
def run(db):
    def run(job: MediaImport) -> MediaImport:
        tasks.import_media(str(job.pk))
        job.refresh_from_db()
        return job

    return run


def counts(job: MediaImport) -> tuple[int, int, int, int]:
    return job.seen, job.imported, job.repeated, job.refused
