"""Videos in pieces: the tus protocol, resumed and refused, and videos in one request."""

import base64
import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from recognition.models import Allowance, Analysis, Upload
from recognition.videos import uploads

pytestmark = pytest.mark.django_db

PIECE = "application/offset+octet-stream"
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture(autouse=True)
def folder(settings, tmp_path) -> Path:
    """An empty folder for what arrives in pieces."""
    settings.UPLOADS_DIR = tmp_path / "uploads"
    settings.UPLOADS_DIR.mkdir()
    return settings.UPLOADS_DIR


@pytest.fixture
def content(clip) -> bytes:
    return clip.read_bytes()


def begin(client, length: int | None, **metadata: str):
    pairs = {"filename": "clip.mp4", **metadata}
    encoded = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in pairs.items())
    size = {"Upload-Defer-Length": "1"} if length is None else {"Upload-Length": str(length)}
    return client.post("/api/v1/uploads/", headers={**TUS, **size, "Upload-Metadata": encoded})


def send(client, url: str, piece: bytes, offset: int, **headers: str):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    headers["Content-Type"] = PIECE  # the test client has none for an empty body
    return client.patch(
        url,
        piece,
        content_type=PIECE,
        headers={**TUS, "Upload-Offset": str(offset), **headers},
    )


def test_a_video_arrives_in_pieces(signed_in, content, user):
    response = begin(signed_in, len(content), fps="2", title="My clip", tags="a, b")
    assert (response.status_code, response["Tus-Resumable"]) == (201, "1.0.0")
    url = response["Location"]
    half = len(content) // 2
    assert send(signed_in, url, content[:half], 0)["Upload-Offset"] == str(half)
    assert signed_in.head(url, headers=TUS)["Upload-Offset"] == str(half)
    response = send(signed_in, url, content[half:], half)
    assert response.status_code == 204
    analysis = Analysis.objects.get(pk=response["Mien-Analysis"])
    assert (analysis.kind, analysis.title, analysis.tags) == ("video", "My clip", ["a", "b"])
    assert (analysis.owner, analysis.video.fps) == (user, 2)
    assert analysis.source.open().read() == content
    assert signed_in.get(url).json()["analysis"] == str(analysis.pk)
    assert not uploads.path_of(Upload.objects.get()).exists()


def test_the_length_can_come_later(signed_in, content):
    url = begin(signed_in, None)["Location"]
    assert signed_in.head(url, headers=TUS)["Upload-Defer-Length"] == "1"
    send(signed_in, url, content[:5000], 0)
    last = content[5000:]
    response = send(signed_in, url, last, 5000, Upload_Length=str(len(content)))
    assert "Mien-Analysis" in response


def test_the_last_length_can_come_alone(signed_in, content):
    """As a recording ends: its last byte is known to be the last one only later."""
    url = begin(signed_in, None)["Location"]
    send(signed_in, url, content, 0)
    size = str(len(content))
    assert "Mien-Analysis" in send(signed_in, url, b"", len(content), Upload_Length=size)


def test_a_piece_at_the_wrong_place_is_refused(signed_in, content):
    url = begin(signed_in, len(content))["Location"]
    response = send(signed_in, url, b"abc", 7)
    assert (response.status_code, response.json()["code"]) == (409, "wrong_offset")


def test_a_piece_with_a_wrong_checksum_is_not_kept(signed_in, content):
    url = begin(signed_in, len(content))["Location"]
    good = base64.b64encode(hashlib.sha256(content[:5000]).digest()).decode()
    other = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    response = send(signed_in, url, content[:5000], 0, Upload_Checksum=f"sha256 {other}")
    assert (response.status_code, response.json()["code"]) == (460, "checksum_mismatch")
    assert signed_in.head(url, headers=TUS)["Upload-Offset"] == "0"
    response = send(signed_in, url, content[:5000], 0, Upload_Checksum=f"sha256 {good}")
    assert response.status_code == 204
    response = send(signed_in, url, content[5000:], 5000, Upload_Checksum="crc99 abc=")
    assert response.json()["code"] == "unknown_algorithm"


def test_the_whole_file_can_be_checked(signed_in, content):
    wrong = begin(signed_in, len(content), sha256="0" * 64)["Location"]
    assert send(signed_in, wrong, content, 0).json()["code"] == "checksum_mismatch"
    right = begin(signed_in, len(content), sha256=hashlib.sha256(content).hexdigest())["Location"]
    assert "Mien-Analysis" in send(signed_in, right, content, 0)


def test_what_is_no_video_is_refused_at_its_first_piece(signed_in):
    url = begin(signed_in, 3_000_000_000)["Location"]
    response = send(signed_in, url, b"just a text\n" * 1000, 0)
    assert (response.status_code, response.json()["code"]) == (415, "not_a_video")
    assert not Upload.objects.exists()
    assert signed_in.head(url, headers=TUS).status_code == 404


def test_more_than_was_announced_is_refused(signed_in, content):
    url = begin(signed_in, 6000)["Location"]
    response = send(signed_in, url, content[:7000], 0)
    assert (response.status_code, response.json()["code"]) == (413, "upload_too_long")


@pytest.mark.parametrize(("length", "code"), [(0, "empty_file"), (5 * 1024**3, "file_too_large")])
def test_sizes_are_limited(signed_in, length, code):
    assert begin(signed_in, length).json()["code"] == code


def test_a_person_can_have_a_limit(signed_in, user):
    Allowance.objects.create(user=user, video_mb=1)
    assert begin(signed_in, 2 * 1024**2).json()["code"] == "file_too_large"
    assert signed_in.options("/api/v1/uploads/")["Tus-Max-Size"] == str(1024**2)


def test_a_person_has_few_unfinished_uploads(signed_in):
    for _ in range(uploads.MOST_UNFINISHED):
        assert begin(signed_in, 1000).status_code == 201
    assert begin(signed_in, 1000).json()["code"] == "too_many_uploads"
    assert len(signed_in.get("/api/v1/uploads/").json()["uploads"]) == uploads.MOST_UNFINISHED


@pytest.mark.parametrize(
    ("metadata", "status"),
    [({"fps": "0.1"}, 400), ({"fps": "many"}, 400), ({"start": "5", "end": "3"}, 400)],
)
def test_options_that_make_no_sense_are_refused(signed_in, metadata, status):
    assert begin(signed_in, 1000, **metadata).status_code == status


def test_other_versions_of_the_protocol_are_refused(signed_in):
    response = signed_in.post("/api/v1/uploads/", headers={"Upload-Length": "5"})
    assert (response.status_code, response["Tus-Version"]) == (412, "1.0.0")
    assert "checksum" in signed_in.options("/api/v1/uploads/")["Tus-Extension"]


def test_uploads_belong_to_their_owner(signed_in, content, other_user, client):
    url = begin(signed_in, len(content))["Location"]
    client.force_login(other_user)
    assert client.head(url, headers=TUS).status_code == 404
    assert send(client, url, content, 0).status_code == 404
    assert client.delete(url).status_code == 404


def test_an_upload_can_be_given_up(signed_in, content, django_capture_on_commit_callbacks):
    url = begin(signed_in, len(content))["Location"]
    path = uploads.path_of(Upload.objects.get())
    with django_capture_on_commit_callbacks(execute=True):
        assert signed_in.delete(url).status_code == 204
    assert not path.exists()


def test_abandoned_uploads_are_swept(signed_in, content, django_capture_on_commit_callbacks):
    begin(signed_in, len(content))
    path = uploads.path_of(Upload.objects.get())
    uploads.delete_old()
    assert path.exists()
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with django_capture_on_commit_callbacks(execute=True):
        uploads.delete_old()
    assert not path.exists()
    assert not Upload.objects.exists()


def test_a_video_in_one_request(signed_in, content, folder):
    video = SimpleUploadedFile("clip.mp4", content, "video/mp4")
    response = signed_in.post("/api/v1/videos/", {"video": video, "fps": "all", "audio": "false"})
    assert response.status_code == 202
    analysis = Analysis.objects.get(pk=response.json()["id"])
    assert (analysis.video.fps, analysis.video.keep_audio) == (None, False)
    assert response.json()["video"]["share"] == 0
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [(b"", 400, "empty_file"), (b"a text", 415, "not_a_video")],
)
def test_bad_files_in_one_request(signed_in, content, status, code, folder):
    video = SimpleUploadedFile("clip.mp4", content, "video/mp4")
    response = signed_in.post("/api/v1/videos/", {"video": video})
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert not list(folder.iterdir())


def test_a_request_without_a_video(signed_in):
    assert signed_in.post("/api/v1/videos/", {"fps": "5"}).json()["code"] == "no_files"


def test_a_recording_whose_page_was_closed_becomes_a_video(signed_in, content):
    url = begin(signed_in, None, recorded="true")["Location"]
    send(signed_in, url, content, 0)
    uploads.finish_abandoned()
    assert not Analysis.objects.exists()  # the next piece may come any moment
    Upload.objects.update(expires_at=timezone.now() + Upload.KEPT - timedelta(minutes=2))
    uploads.finish_abandoned()
    analysis = Analysis.objects.get()
    assert analysis.video.recorded
    assert analysis.source.open().read() == content
    uploads.finish_abandoned()
    assert Analysis.objects.count() == 1


def test_an_upload_that_is_no_recording_is_not_finished_by_itself(signed_in, content):
    url = begin(signed_in, None)["Location"]
    send(signed_in, url, content, 0)
    Upload.objects.update(expires_at=timezone.now() + timedelta(minutes=1))
    uploads.finish_abandoned()
    assert not Analysis.objects.exists()


def test_a_video_among_the_photos_is_told_where_to_go(signed_in, content):
    photo = SimpleUploadedFile("clip.mp4", content, "video/mp4")
    response = signed_in.post("/api/v1/analyses/", {"photos": photo})
    assert (response.status_code, response.json()["code"]) == (415, "not_an_image")
    assert "/api/v1/videos/" in response.json()["detail"]
