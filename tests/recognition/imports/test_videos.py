"""Videos in an import: taken as if they had been uploaded, two at a time."""

from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from recognition import storage
from recognition.imports import contents, imports
from recognition.jobs import work
from recognition.models import Analysis, MediaImport
from tests.recognition.imports.conftest import counts
from tests.recognition.uploads import picture
from tests.recognition.videos.conftest import *  # noqa: F403 a clip, and how it is read

Status = MediaImport.Status


@pytest.fixture
def film(folder, clip) -> Path:
    """A folder with a video, once more under another name, and a photo."""
    film = folder.parent / "film"
    film.mkdir()
    (film / "a.mp4").write_bytes(clip.read_bytes())
    (film / "b.mov").write_bytes(clip.read_bytes())
    (film / "c.jpg").write_bytes(picture(64, 48, "JPEG"))
    return film


def test_videos_are_imported_as_if_uploaded(user, film, run, settings):
    settings.VIDEO_SEGMENT_SAMPLES = 10
    options = {"tags": ["film"], "detail": "normal", "face_mode": "detect"}
    job = run(imports.request(None, user, "film", options))
    assert (job.status, counts(job)) == (Status.SUCCEEDED, (3, 2, 1, 0))
    video = Analysis.objects.get(owner=user, kind="video")
    assert (video.title, video.tags, video.status) == ("a.mp4", ["film"], "queued")
    assert video.video.fps == 5.0
    assert default_storage.open(video.source.name).read() == (film / "a.mp4").read_bytes()
    assert (film / "a.mp4").exists()
    assert not list(settings.INCOMING_DIR.glob("import-*"))


def test_an_imported_video_is_read(user, film, read_now, run):
    run(imports.request(None, user, "film", {}))
    analysis = read_now(Analysis.objects.get(kind="video"))
    assert (analysis.status, analysis.frame_count) == ("succeeded", 20), analysis.error_message


def test_a_video_beyond_the_limit_is_refused(user, film, run, settings):
    settings.MAX_VIDEO_BYTES = 1000
    job = run(imports.request(None, user, "film", {}))
    assert counts(job) == (3, 1, 0, 2)
    assert job.files.get(path="a.mp4").error_code == "file_too_large"
    assert not list(settings.INCOMING_DIR.glob("import-*"))


def test_a_full_disk_stops_the_import_and_it_goes_on(user, film, run, monkeypatch):
    monkeypatch.setattr(contents, "SPARE_BYTES", 1 << 60)
    job = run(imports.request(None, user, "film", {}))
    assert (job.status, job.error_code, job.seen) == (Status.FAILED, "disk_full", 0)
    monkeypatch.undo()
    assert work.retry(job)
    assert counts(run(job)) == (3, 2, 1, 0)


def test_an_import_waits_while_videos_wait(user, film, run, monkeypatch):
    (film / "b.mov").write_bytes((film / "a.mp4").read_bytes() + b"\0" * 64)
    monkeypatch.setattr(imports, "MOST_VIDEOS", 1)
    waits = []

    def read_one(seconds):
        waits.append(seconds)
        Analysis.objects.filter(kind="video").update(status="succeeded")

    monkeypatch.setattr(imports.time, "sleep", read_one)
    job = run(imports.request(None, user, "film", {}))
    assert (job.status, counts(job), len(waits)) == (Status.SUCCEEDED, (3, 3, 0, 0), 1)


def test_a_canceled_import_leaves_no_video(user, film, run, monkeypatch, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    job = imports.request(None, user, "film", {})
    original = contents.submit

    def cancel_and_submit(*arguments):
        work.cancel(MediaImport.objects.get(pk=job.pk))
        original(*arguments)

    monkeypatch.setattr(contents, "submit", cancel_and_submit)
    run(job)
    assert (job.status, job.imported, Analysis.objects.count()) == (Status.CANCELED, 0, 0)
    assert not job.files.exists()
    assert not list(storage.names(folder="incoming/"))
