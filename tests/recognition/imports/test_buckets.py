"""Imports from the S3 server: prefixes and zips, and what administrators may reach there."""

import io
import zipfile

import pytest
from botocore.exceptions import ClientError
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from recognition.imports import imports, sources
from recognition.imports.sources import SourceError
from recognition.models import Analysis, MediaImport
from tests.recognition.imports.conftest import counts
from tests.recognition.object_store import *  # noqa: F403 a server of S3's
from tests.recognition.uploads import picture
from tests.recognition.videos.conftest import *  # noqa: F403 a clip

Status = MediaImport.Status


@pytest.fixture
def study(bucket, folder, settings):
    """The same files in a bucket, at study/."""
    bucket.create_bucket(Bucket="lab")
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            key = f"study/{file.relative_to(folder).as_posix()}"
            bucket.put_object(Bucket="lab", Key=key, Body=file.read_bytes())
    bucket.put_object(Bucket="lab", Key="study/empty folder/", Body=b"")
    bucket.put_object(Bucket="lab", Key="studies/other.jpg", Body=picture(70, 70, "JPEG"))
    settings.IMPORT_BUCKETS = ["lab/study"]
    return bucket


def test_a_bucket_is_imported(user, study, server, run):
    server.flaky.fails = True
    job = run(imports.request(None, user, "s3://lab/study/", {"tags": ["s3"]}))
    assert (job.status, counts(job)) == (Status.SUCCEEDED, (6, 3, 1, 2))
    assert set(job.files.exclude(error_code="").values_list("path", flat=True)) == {
        *("empty.jpg", "notes.txt"),
    }
    # The rules about what is known are those of folders.
    assert counts(run(imports.request(None, user, "study", {}))) == (6, 0, 4, 2)


def test_a_video_in_a_bucket_is_imported(user, study, clip, run):
    study.put_object(Bucket="lab", Key="study/videos/a.mp4", Body=clip.read_bytes())
    run(imports.request(None, user, "s3://lab/study/videos", {}))
    video = Analysis.objects.get(owner=user)
    assert (video.kind, video.title) == ("video", "a.mp4")
    assert default_storage.open(video.source.name).read() == clip.read_bytes()


def test_a_zip_in_a_bucket_is_imported(user, study, folder, run):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.write(folder / "two.png", "two.png")
    study.put_object(Bucket="lab", Key="study/photos.zip", Body=packed.getvalue())
    assert counts(run(imports.request(None, user, "s3://lab/study/photos.zip", {}))) == (1, 1, 0, 0)


def test_an_import_goes_on_after_the_server_was_gone(user, study, run, settings):
    job = imports.request(None, user, "s3://lab/study", {})
    there = settings.S3_SERVER
    nobody = {
        "endpoint_url": "http://127.0.0.1:1",
        "config": {"retries": {"total_max_attempts": 1}},
    }
    settings.S3_SERVER = there | nobody
    run(job)
    assert (job.status, job.seen) == (Status.QUEUED, 0)  # as after a crash
    settings.S3_SERVER = there
    assert counts(run(job)) == (6, 3, 1, 2)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("s3://lab", "outside"),
        ("s3://lab/studies", "outside"),
        ("s3://lab/study/../studies", "outside"),
        ("s3://lab/study/nothing", "not_found"),
        ("s3://lab/study/nothing.zip", "not_found"),
        ("s3://gone/a", "not_found"),
        ("s3://", "not_a_source"),
        ("s3://mien/photos", "outside"),
    ],
)
def test_a_place_in_a_bucket_is_refused(user, study, s3, settings, source, code):
    settings.IMPORT_BUCKETS = ["lab/study", "gone", "mien"]
    with pytest.raises(SourceError) as refusal:
        imports.request(None, user, source, {})
    assert refusal.value.code == code
    assert not MediaImport.objects.exists()


def test_a_place_without_permission_is_said(user, study, monkeypatch):
    refusal = ClientError({"Error": {"Code": "AccessDenied"}}, "ListObjectsV2")

    def refuse(*arguments):
        raise refusal
        yield

    monkeypatch.setattr(sources.objects, "listed", refuse)
    with pytest.raises(SourceError, match="may not read s3://lab/study"):
        imports.request(None, user, "s3://lab/study", {})


def test_the_command_imports_from_any_bucket(user, study, settings, capsys):
    settings.IMPORT_BUCKETS = []  # which is about the API
    call_command("import_media", "s3://lab/study", "--owner", "ada@example.org")
    assert "6 files: 3 imported, 1 were there already, 2 refused" in capsys.readouterr().out
    with pytest.raises(CommandError, match="There is no bucket gone"):
        call_command("import_media", "s3://gone/study", "--owner", "ada@example.org")
