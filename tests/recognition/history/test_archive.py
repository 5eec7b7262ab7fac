"""Everything that is somebody's, in one zip."""

import csv
import io
import json
import zipfile

import pytest

from recognition import consent
from recognition.api import keys
from recognition.audit import trail
from recognition.history import tasks
from recognition.live import recordings
from recognition.models import Export, Webhook
from recognition.photos import analyses
from recognition.photos import tasks as photo_tasks
from recognition.registry import registry
from tests.recognition.live.test_recordings import tracked
from tests.recognition.uploads import submit
from tests.recognition.videos.rows import make_upload, make_video


@pytest.fixture
def photo(user, astronaut):
    analysis = submit(user, astronaut, title="Monday", tags=["lab"])
    photo_tasks.analyze(str(analysis.pk))
    analysis.refresh_from_db()
    return analysis


@pytest.fixture
def video(user, photo):
    return make_video(user)


def request(client):
    return client.post("/api/v1/exports/", {"format": "zip"}, content_type="application/json")


@pytest.fixture
def archive(signed_in, user, other_user, photo, video, astronaut, settings, tmp_path):
    """Somebody's archive, on a site on which somebody else has things, too."""
    settings.UPLOADS_DIR = tmp_path
    recorder = recordings.Recorder(user.pk, 0.0)
    recorder.note([tracked(1)], 0.1, (640, 480), registry.active_version().number)
    recorder.finish(1.0)
    keys.create(user, "script", ["read"])
    Webhook.objects.create(owner=user, url="https://example.org/", secret="hush")
    consent.accept(user, consent.publish("", "Read this.", user))
    trail.record("account.signed_in", user.pk, address="192.0.2.7")
    upload = make_upload(user)
    (tmp_path / str(upload.pk)).write_bytes(b"half a video")
    photo_tasks.analyze(str(submit(other_user, astronaut, title="not mine").pk))
    trail.record("account.signed_in", other_user.pk, address="198.51.100.1")

    answer = request(signed_in)
    assert answer.status_code == 202, answer.json()
    tasks.export(answer.json()["id"])
    export = Export.objects.get()
    assert (export.status, export.rows_done, export.rows_total) == ("succeeded", 3, 3)
    answer = signed_in.get(f"/api/v1/exports/{export.pk}/file/")
    assert answer["Content-Type"] == "application/zip"
    assert "mien-everything-" in answer["Content-Disposition"]
    return zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))


def test_all_files_are_there_and_whole(archive, photo, video):
    assert archive.testzip() is None
    names = [name.partition("-")[0] if "uploads" in name else name for name in archive.namelist()]
    assert {name for name in names if not name.startswith("uploads")} == {
        *("README.txt", "account.json", "activity.csv", "entries.jsonl", "faces.csv"),
        *(f"photos/{photo.pk}.jpg", f"videos/{video.pk}.mp4", f"videos/tracks/{video.pk}-1.jpg"),
    }
    assert len([name for name in names if name.startswith("uploads")]) == 1
    with photo.photo.open() as stored:
        assert archive.read(f"photos/{photo.pk}.jpg") == stored.read()


def test_entries_have_what_their_owner_wrote_and_what_was_found(archive, photo, video):
    entries = {
        entry["kind"]: entry
        for entry in map(json.loads, archive.read("entries.jsonl").splitlines())
    }
    assert set(entries) == {"image", "video", "webcam"}
    assert (entries["image"]["title"], entries["image"]["tags"]) == ("Monday", ["lab"])
    assert len(entries["image"]["faces"]) == len(entries["image"]["meshes"]) == 1
    assert entries["video"]["markers"][0]["label"] == "a word"
    assert entries["video"]["tracks"][0]["number"] == 1
    rows = list(csv.DictReader(archive.read("faces.csv").decode().splitlines()))
    assert len(rows) == 1 + video.faces.count() + 1


def test_the_account_is_there_without_its_secrets(archive, user):
    account = json.loads(archive.read("account.json"))
    assert account["email"] == user.email
    assert account["keys"][0]["name"] == "script"
    assert account["webhooks"][0]["url"] == "https://example.org/"
    assert account["consents"][0]["text"] == "Read this."
    assert b"hush" not in archive.read("account.json")
    assert "192.0.2.7" in archive.read("activity.csv").decode()


def test_nothing_of_anybody_else_is_there(archive):
    everything = b"".join(archive.read(name) for name in archive.namelist())
    for foreign in (b"not mine", b"198.51.100.1", b"eve@example.org"):
        assert foreign not in everything


def test_the_page_asks_for_it(signed_in, user):
    assert "Download my data" in signed_in.get("/account/data/").content.decode()
    answer = signed_in.post("/exports/everything/")
    assert (answer.status_code, answer["Location"]) == (302, "/exports/")
    assert Export.objects.get().format == "zip"
    for _time in range(3):
        signed_in.post("/exports/everything/")
    assert Export.objects.count() == 3
    assert "wait for one or cancel it" in signed_in.get("/exports/").content.decode()


def test_it_has_no_filters_and_no_columns(signed_in, user):
    body = {"format": "zip", "filters": {"kind": "image"}}
    answer = signed_in.post("/api/v1/exports/", body, content_type="application/json")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "no_filters")
    export = request(signed_in).json()
    assert export["codebook_url"] is None
    assert signed_in.get(f"/api/v1/exports/{export['id']}/codebook/").status_code == 404


def test_a_photo_that_vanishes_meanwhile_does_not_spoil_it(signed_in, user, photo):
    photo.photo.storage.delete(photo.photo.name)
    tasks.export(request(signed_in).json()["id"])
    assert Export.objects.get().status == "succeeded"


def test_an_archive_that_was_canceled_leaves_no_file(signed_in, user, photo, monkeypatch):
    monkeypatch.setattr("recognition.history.exports.TICK", 0.01)
    pk = request(signed_in).json()["id"]

    def gone(*arguments):
        analyses.delete_analysis(photo)
        Export.objects.filter(pk=pk).update(status="canceled")
        return []

    monkeypatch.setattr("recognition.history.archive.read_rows", lambda faces: closing_list(gone()))
    tasks.export(pk)
    export = Export.objects.get()
    assert (export.status, export.file.name) == ("canceled", "")


class closing_list(list):
    def close(self) -> None:
        pass
