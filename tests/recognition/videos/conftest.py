"""Fixtures: a short video, and videos read in this process as workers would."""

import shutil
from pathlib import Path

import pytest

from recognition.models import Analysis, VideoPart
from recognition.videos import submissions, tasks
from tests.recognition.engine.clips import astronaut, write


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Path:
    """4 s of one face at 10 frames a second, with a key frame each second."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    return write(path, (astronaut(n / 10) for n in range(40)), rate=10, options={"g": "10"})


@pytest.fixture
def submit(user, tmp_path):
    """Submits a copy of a video file."""

    def submitted(path: Path, name: str = "clip.mp4", **options) -> Analysis:
        copy = tmp_path / f"upload-{path.name}"
        shutil.copy(path, copy)
        return submissions.submit_video(user, copy, name, **options)

    return submitted


@pytest.fixture
def read_now(db, shipped, django_capture_on_commit_callbacks, monkeypatch):
    """Does all the work on a video in this process, part after part."""
    monkeypatch.setattr(tasks, "send", lambda *arguments: None)

    def read(analysis: Analysis) -> Analysis:
        with django_capture_on_commit_callbacks(execute=True):
            tasks.prepare_video(str(analysis.pk))
        while part := VideoPart.objects.filter(analysis=analysis, status="queued").first():
            with django_capture_on_commit_callbacks(execute=True):
                tasks.carry_out_part(str(part.pk))
        analysis.refresh_from_db()
        return analysis

    return read
