"""The whole site on object storage: a real server of S3's that is slow and fails now and then."""

import hashlib
import io
import itertools
import os
import time
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from fer_site.object_storage import s3_options
from recognition import health, storage
from recognition.backup import restoring, writing
from recognition.history import export_requests
from recognition.history import tasks as export_tasks
from recognition.jobs import files
from recognition.models import Analysis, Export
from recognition.photos import tasks as photo_tasks
from recognition.registry import registry, version_files
from tests.recognition.object_store import *  # noqa: F403 the server and its bucket
from tests.recognition.object_store import keys_in, use
from tests.recognition.uploads import submit as submit_photo
from tests.recognition.videos.conftest import *  # noqa: F403 a clip, and how it is read
from tests.recognition.videos.rows import make_video


@pytest.fixture
def analyzed(s3, user, astronaut):
    analysis = submit_photo(user, astronaut)
    photo_tasks.analyze(str(analysis.pk))
    analysis.refresh_from_db()
    return analysis


@pytest.mark.django_db(transaction=True)
def test_a_photo_lives_in_the_bucket_alone(analyzed, s3, settings, signed_in):
    assert (analyzed.status, analyzed.face_count) == ("succeeded", 1)
    assert keys_in(s3, "incoming") == []
    assert keys_in(s3, "photos") == [f"photos/{analyzed.pk}.jpg"]
    assert keys_in(s3, "thumbnails") == [f"thumbnails/{analyzed.pk}.jpg"]
    assert not settings.MEDIA_ROOT.exists()
    picture = signed_in.get(f"/api/v1/analyses/{analyzed.pk}/photo/")
    assert picture.content[:2] == b"\xff\xd8"
    assert signed_in.delete(f"/api/v1/analyses/{analyzed.pk}/").status_code == 204
    assert keys_in(s3, "photos") == []


def test_a_model_is_loaded_from_the_bucket(analyzed, s3):
    version = registry.active_version()
    assert keys_in(s3, "models")
    version_files.load_classifier(version)


def test_a_video_is_read_from_the_bucket(s3, server, submit, read_now, clip, settings):
    server.flaky.fails = True
    settings.VIDEO_SEGMENT_SAMPLES = 5
    analysis = read_now(submit(clip))
    assert (analysis.status, analysis.frame_count) == ("succeeded", 20), analysis.error_message
    server.flaky.fails = False
    assert keys_in(s3, "videos") == [analysis.media.name]
    assert not list(settings.INCOMING_DIR.glob("*.partial"))


def test_photos_survive_a_server_that_fails_now_and_then(s3, server, user, astronaut):
    server.flaky.fails = True
    for _ in range(3):
        analysis = submit_photo(user, astronaut)
        photo_tasks.analyze(str(analysis.pk))
    assert Analysis.objects.filter(status="succeeded").count() == 3


def test_an_export_is_stored_in_the_bucket(analyzed, s3, user, signed_in):
    export = export_requests.request_export(user, "csv", {})
    export_tasks.export(str(export.pk))
    export.refresh_from_db()
    assert export.status == "succeeded", export.traceback
    assert keys_in(s3, "exports") == [export.file.name]
    answer = signed_in.get(f"/api/v1/exports/{export.pk}/file/")
    content = b"".join(answer.streaming_content)
    assert content.startswith(b"analysis,")
    assert len(content) == export.size


@pytest.mark.parametrize(
    ("asked", "status", "first", "length"),
    [
        ("", 200, 0, 10240),
        ("bytes=100-199", 206, 100, 100),
        ("bytes=-5", 206, 10235, 5),
        ("bytes=10240-", 416, 0, 0),
    ],
)
def test_a_range_of_a_video_is_sent(s3, user, signed_in, asked, status, first, length):
    video = make_video(user)
    answer = signed_in.get(f"/analyses/{video.pk}/media/", headers={"range": asked})
    assert answer.status_code == status
    if status != 416:
        whole = bytes(range(256)) * 40
        assert b"".join(answer.streaming_content) == whole[first : first + length]
        assert answer["Content-Length"] == str(length)


def test_the_storage_sends_files_itself(analyzed, user, signed_in, other_user, client, settings):
    settings.SENDFILE = "redirect"
    path = f"/api/v1/analyses/{analyzed.pk}/photo/"
    answer = signed_in.get(path)
    assert answer.status_code == 302
    sent = httpx.get(answer["Location"])
    assert sent.status_code == 200
    assert sent.headers["content-type"] == "image/jpeg"
    assert sent.headers["cache-control"] == "private, no-store"
    assert "X-Amz-Expires=60" in answer["Location"]
    client.force_login(other_user)
    assert client.get(path).status_code == 404


def test_nginx_fetches_files_from_the_storage(analyzed, signed_in, settings, server):
    settings.SENDFILE = "nginx"
    answer = signed_in.get(f"/api/v1/analyses/{analyzed.pk}/photo/")
    inner = answer["X-Accel-Redirect"]
    assert inner.startswith(f"/stored/http/127.0.0.1:{server.server_port}/mien/photos/")
    scheme, _, rest = inner.removeprefix("/stored/").partition("/")
    assert httpx.get(f"{scheme}://{rest}").content[:2] == b"\xff\xd8"
    assert unquote(urlsplit(inner).path).endswith(f"{analyzed.pk}.jpg")


def test_the_cache_keeps_its_size(s3, settings):
    settings.MEDIA_CACHE_BYTES = 2500
    for index in range(4):
        default_storage.save(f"videos/{index}.mp4", ContentFile(bytes([index]) * 1000))
        with storage.local(f"videos/{index}.mp4") as path:
            assert path.read_bytes() == bytes([index]) * 1000
        time.sleep(0.01)
    kept = {file.read_bytes()[0] for file in settings.MEDIA_CACHE_DIR.iterdir()}
    assert kept == {2, 3}
    s3.delete_object(Bucket="mien", Key="videos/3.mp4")
    with storage.local("videos/3.mp4") as path:  # from the cache
        assert path.stat().st_size == 1000
    with pytest.raises(FileNotFoundError), storage.local("videos/none.mp4"):
        pass


def test_a_large_file_passes_through_the_disk(s3, settings):
    content = bytes(range(256)) * 80_000  # 20 MB
    default_storage.save("videos/large.mp4", ContentFile(content))
    with default_storage.open("videos/large.mp4") as file:
        assert file.read() == content
        assert file.file._rolled
        assert os.readlink(f"/proc/self/fd/{file.fileno()}").startswith(str(settings.INCOMING_DIR))
    with storage.local("videos/large.mp4") as path:
        assert path.read_bytes() == content


def test_orphans_are_found_in_the_bucket(analyzed, s3, monkeypatch):
    default_storage.save("exports/nobody.csv", ContentFile(b"x"))
    assert files.delete_orphans() == 0
    monkeypatch.setattr(files, "ORPHANED_AFTER", -files.ORPHANED_AFTER)
    assert files.delete_orphans() == 1
    assert keys_in(s3, "exports") == []
    assert len(keys_in(s3, "photos")) == 1


def test_a_storage_that_is_gone_is_said(s3, settings, signed_in, astronaut):
    options = s3_options() | {"endpoint_url": "http://127.0.0.1:1"}
    options["client_config"] = Config(connect_timeout=1, retries={"total_max_attempts": 1})
    use(settings, options)
    assert health.check_storage() == "The object storage isn't responding."
    photo = io.BytesIO(astronaut)
    photo.name = "a.jpg"
    answer = signed_in.post("/api/v1/analyses/", {"photos": photo})
    assert answer.status_code == 503
    assert answer.json()["code"] == "unavailable"
    assert not Analysis.objects.exists()


def test_the_storage_is_asked_now_and_then(s3, monkeypatch):
    asked, clock = [], [0.0]
    monkeypatch.setattr(health, "_storage_found", {})
    monkeypatch.setattr(health.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(storage, "check", lambda: asked.append(clock[0]))
    for clock[0] in (1000.0, 1029.0, 1031.0):
        assert health.check_storage() == ""
    assert asked == [1000.0, 1031.0]

    def refuse():
        asked.append(clock[0])
        raise EndpointConnectionError(endpoint_url="http://s3")

    monkeypatch.setattr(storage, "check", refuse)
    for clock[0] in (1062.0, 1065.0, 1068.0):  # trouble may be over soon
        assert health.check_storage() == "The object storage isn't responding."
    assert asked == [1000.0, 1031.0, 1062.0, 1068.0]


@pytest.mark.django_db(transaction=True)
def test_a_backup_holds_what_is_in_the_bucket(analyzed, s3):
    default_storage.save("backups/yesterday.tar", ContentFile(b"a backup of yesterday"))
    file = io.BytesIO()
    summary = writing.write(file)
    assert not summary.missing
    assert b"yesterday" not in file.getvalue()
    content = file.getvalue()
    photo = default_storage.open(analyzed.photo.name).read()
    assert photo in content
    file.seek(0)
    with pytest.raises(restoring.BackupError, match="accounts already"):
        restoring.restore(file)


def test_files_move_to_the_bucket_and_back(s3, settings, tmp_path, capsys, monkeypatch):
    contents = {f"photos/{index}.jpg": bytes([index]) * 5000 for index in range(8)}
    contents["videos/a/b.mp4"] = b"v" * 100_000
    local = storage.folder(settings.MEDIA_ROOT)
    for name, content in contents.items():
        local.save(name, ContentFile(content))

    original, count = storage.copy, itertools.count()

    def break_off(*arguments):
        if next(count) == 4:
            raise ConnectionResetError("the cable")
        return original(*arguments)

    monkeypatch.setattr(storage, "copy", break_off)
    with pytest.raises(CommandError, match="Stopped after 4 files: the cable"):
        call_command("move_storage", "s3")
    call_command("move_storage", "s3")
    assert "5 files copied" in capsys.readouterr().out
    assert keys_in(s3) == sorted(contents)

    # A file that differs is sent again.
    s3.put_object(Bucket="mien", Key="photos/0.jpg", Body=b"!" * 5000)
    call_command("move_storage", "s3", "--delete")
    assert "1 files copied" in capsys.readouterr().out
    assert not list(storage.names(local))

    call_command("move_storage", "folder", "--delete")
    found = {name: local.open(name).read() for name in storage.names(local)}
    assert {n: hashlib.sha256(c).digest() for n, c in found.items()} == {
        n: hashlib.sha256(c).digest() for n, c in contents.items()
    }
    assert keys_in(s3) == []


def test_moving_needs_a_bucket(settings):
    settings.S3 = {}
    with pytest.raises(CommandError, match="MIEN_S3_BUCKET"):
        call_command("move_storage", "s3")


def test_an_upload_of_an_export_that_lost_its_lease_leaves_nothing(analyzed, s3, user):
    export = export_requests.request_export(user, "csv", {})
    Export.objects.filter(pk=export.pk).update(status="canceled")
    export_tasks.export(str(export.pk))
    assert keys_in(s3, "exports") == []
