"""The API while the database or the disk fails: 503, and nothing is stored by half."""

from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import InterfaceError, OperationalError
from django.test import Client

from recognition.accounts import rules
from recognition.models import Analysis, IdempotentRequest
from recognition.photos import tasks as photo_tasks
from tests.recognition.uploads import submit

URL = "/api/v1/analyses/"


@pytest.fixture(autouse=True)
def media(settings, tmp_path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def fail_after(monkeypatch, owner: type, name: str, error: Exception, calls: int = 0):
    """Let a method succeed this often and then raise `error`; undone by monkeypatch.undo()."""
    work, left = getattr(owner, name), [calls]

    def method(*args, **kwargs):
        if left[0] == 0:
            raise error
        left[0] -= 1
        return work(*args, **kwargs)

    monkeypatch.setattr(owner, name, method)


def full_disk(monkeypatch, calls: int = 0):
    """The disk fills up while a file is being written; its start remains."""
    work, left = FileSystemStorage._save, [calls]

    def save(storage, name, content):
        name = work(storage, name, content)
        if left[0] == 0:
            raise OSError(28, "No space left on device")
        left[0] -= 1
        return name

    monkeypatch.setattr(FileSystemStorage, "_save", save)


def full_database(monkeypatch, calls: int = 0):
    fail_after(monkeypatch, Analysis, "save", OperationalError("database or disk is full"), calls)


def lost_database(monkeypatch, calls: int = 0):
    fail_after(monkeypatch, Analysis, "save", InterfaceError("connection already closed"), calls)


def post(client, *contents: bytes, **headers: str):
    uploads = [SimpleUploadedFile(f"{at}.jpg", content) for at, content in enumerate(contents)]
    return client.post(URL, {"photos": uploads}, headers=headers)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("trouble", [full_disk, full_database, lost_database])
def test_an_upload_that_cannot_be_stored_is_503(signed_in, astronaut, media, monkeypatch, trouble):
    trouble(monkeypatch)
    response = post(signed_in, astronaut, idempotency_key="k")
    monkeypatch.undo()

    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert response["Content-Type"] == "application/problem+json"
    assert response["Retry-After"]
    assert not Analysis.objects.exists()
    assert files(media) == []
    assert post(signed_in, astronaut, idempotency_key="k").status_code == 202


def test_a_process_that_starts_while_the_database_is_away_says_so(user, astronaut, monkeypatch):
    fail_after(monkeypatch, rules, "is_set_up", OperationalError("the connection is closed"))
    response = post(Client(raise_request_exception=False), astronaut)

    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert response["Retry-After"]


@pytest.mark.parametrize("trouble", [full_disk, full_database])
def test_a_photo_of_several_that_cannot_be_stored_is_named(
    signed_in, astronaut, media, monkeypatch, trouble
):
    trouble(monkeypatch, calls=1)
    response = post(signed_in, astronaut, astronaut)
    monkeypatch.undo()

    assert response.status_code == 202
    assert [one["title"] for one in response.json()["analyses"]] == ["0.jpg"]
    (error,) = response.json()["errors"]
    assert (error["file"], error["code"]) == ("1.jpg", "unavailable")
    assert len(files(media)) == Analysis.objects.count() == 1


def test_a_rerun_that_cannot_be_stored_is_503(signed_in, user, astronaut, media, monkeypatch):
    analysis = submit(user, astronaut)
    photo_tasks.analyze(str(analysis.pk))
    before = files(media)
    full_disk(monkeypatch)
    response = signed_in.post(
        f"{URL}{analysis.pk}/rerun/", {"model_version": 1}, content_type="application/json"
    )
    monkeypatch.undo()

    assert response.status_code == 503
    assert Analysis.objects.count() == 1
    assert files(media) == before


def test_an_answer_that_cannot_be_kept_is_given_all_the_same(signed_in, astronaut, monkeypatch):
    rows = type(IdempotentRequest.objects.all())
    work = rows.update

    def update(self, **values):
        if self.model is IdempotentRequest:
            raise OperationalError("disk I/O error")
        return work(self, **values)

    monkeypatch.setattr(rows, "update", update)
    response = post(signed_in, astronaut, idempotency_key="k")

    assert response.status_code == 202
    assert Analysis.objects.count() == 1


@pytest.mark.parametrize("method", ["get", "delete"])
def test_reading_and_deleting_are_503_while_the_database_fails(
    signed_in, user, astronaut, media, monkeypatch, method
):
    analysis = submit(user, astronaut)
    name = {"get": "from_db", "delete": "delete"}[method]
    fail_after(monkeypatch, Analysis, name, OperationalError("disk I/O error"))
    response = getattr(signed_in, method)(f"{URL}{analysis.pk}/")
    monkeypatch.undo()

    assert response.status_code == 503
    assert Analysis.objects.filter(pk=analysis.pk).exists()
    assert len(files(media)) == 1
