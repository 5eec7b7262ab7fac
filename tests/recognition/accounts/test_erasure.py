"""Accounts are deleted with everything that is theirs, and nothing of anybody else's."""

from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings as site
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client

from recognition import consent
from recognition.accounts import erasure, tasks
from recognition.api import keys
from recognition.audit import trail
from recognition.models import (
    Analysis,
    AuditEntry,
    Consent,
    ConsentText,
    Export,
    IdempotentRequest,
    MediaImport,
    Webhook,
)
from tests.recognition.uploads import submit
from tests.recognition.videos.rows import make_upload, make_video

MARK = "quetzalcoatl"  # in everything that is hers


@pytest.fixture
def marked(django_user_model, user, astronaut, settings, tmp_path):
    """Somebody whose name is in every kind of row and file, on a site without other files."""
    settings.MEDIA_ROOT, settings.UPLOADS_DIR = tmp_path / "media", tmp_path / "uploads"
    settings.INCOMING_DIR = tmp_path / "incoming"
    settings.UPLOADS_DIR.mkdir()
    settings.INCOMING_DIR.mkdir()
    person = django_user_model.objects.create_user(
        MARK, f"{MARK}@example.org", "correct horse", first_name=MARK, last_name=MARK
    )
    apps.get_model("account.EmailAddress").objects.create(user=person, email=person.email)
    submit(person, astronaut + MARK.encode(), f"{MARK}.jpg")
    video = make_video(person)
    video.title = video.notes = MARK
    video.save()
    video.markers.update(label=MARK)
    video.tracks.update(name=MARK)
    export = Export(owner=person, format="csv", status="succeeded", filters={"text": MARK})
    export.file.save(f"{MARK}.csv", ContentFile(MARK.encode()))
    upload = make_upload(person)
    type(upload).objects.filter(pk=upload.pk).update(name=MARK)
    keys.create(person, MARK, ["read"])
    webhook = Webhook.objects.create(owner=person, url=f"https://{MARK}.example.org/")
    webhook.deliveries.create(event="analysis.succeeded", body={"title": MARK})
    IdempotentRequest.objects.create(owner=person, key=MARK, fingerprint="x", body={"t": MARK})
    job = MediaImport.objects.create(owner=person, source=f"/{MARK}")
    job.files.create(path=f"{MARK}.jpg")
    trail.record("picture.viewed", person.pk, subject=MARK, address="192.0.2.7")
    text = ConsentText.objects.create(project="", version=1, body="Read this.", published_by=person)
    consent.accept(person, text)
    LogEntry.objects.create(user=person, object_repr=MARK, action_flag=1)
    LogEntry.objects.create(  # somebody else's, about this person
        user=user,
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(person.pk),
        object_repr=MARK,
        change_message=MARK,
        action_flag=2,
    )
    return person


@pytest.fixture
def hers(marked):
    client = Client()
    client.login(username=MARK, password="correct horse")
    client.post("/accounts/login/", {"login": marked.email, "password": "correct horse"})
    return client


def found_in_tables() -> list[str]:
    """The tables in which a cell holds the mark."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        found = []
        for table in tables:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            if any(MARK in str(cell) for row in cursor.fetchall() for cell in row):
                found.append(table)
    return found


def found_in_files() -> list[Path]:
    folders = [site.MEDIA_ROOT, site.UPLOADS_DIR, site.INCOMING_DIR]
    files = [file for folder in folders for file in Path(folder).rglob("*") if file.is_file()]
    return [f for f in files if MARK in f.name or MARK.encode() in f.read_bytes()]


@pytest.mark.django_db(transaction=True)
def test_nothing_is_left(marked, hers, redis_server, user, caplog):
    assert len(found_in_tables()) > 10
    assert len(found_in_files()) == 2
    other = Analysis.objects.create(owner=user, title="his", status="succeeded")
    page = hers.get("/account/delete/").content.decode()
    assert "1 photo, 1 video and 0 webcam sessions" in page

    answer = hers.post("/account/delete/", {"email": marked.email.upper()})
    assert answer.status_code == 302
    # Who she was is forgotten before any worker has done a thing.
    assert hers.get("/analyses/").status_code == 302
    assert not set(found_in_tables()) & {"auth_user", "account_emailaddress", "django_session"}

    tasks.erase_closed_accounts()

    assert found_in_tables() == []
    assert found_in_files() == []
    redis_keys = [key for db in (0, 1) for key in redis_keys_of(redis_server, db)]
    assert not [key for key in redis_keys if MARK.encode() in key]
    assert MARK not in caplog.text
    assert not User.objects.filter(pk=marked.pk).exists()
    assert Analysis.objects.get() == other
    assert not Consent.objects.exists()
    assert ConsentText.objects.get().published_by is None
    assert not AuditEntry.objects.filter(subject=MARK).exists()


def redis_keys_of(server, db: int) -> list[bytes]:
    import redis

    with redis.Redis(unix_socket_path=str(server.socket_path), db=db) as client:
        return client.keys("*")


@pytest.mark.parametrize("email", ["", "other@example.org", "no address"])
def test_an_account_is_not_deleted_by_a_slip(marked, hers, email):
    answer = hers.post("/account/delete/", {"email": email})
    assert answer.status_code == 200
    assert User.objects.filter(pk=marked.pk, is_active=True).exists()


def test_a_stranger_is_led_to_the_sign_in(client, user):
    assert "/accounts/login/" in client.get("/account/delete/")["Location"]


def test_the_password_is_asked_for_again(marked, hers, monkeypatch):
    monkeypatch.setattr("recognition.accounts.rules.signed_in_lately", lambda request: False)
    session = hers.session
    session["account_authentication_methods"] = []
    session.save()
    answer = hers.post("/account/delete/", {"email": marked.email})
    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"]
    assert User.objects.filter(pk=marked.pk, is_active=True).exists()


def test_the_last_administrator_stays(user, django_user_model):
    administrator = django_user_model.objects.get(is_staff=True)
    with pytest.raises(erasure.LastAdministrator):
        erasure.close(administrator)
    administrator.refresh_from_db()
    assert administrator.is_active
    assert administrator.email
    django_user_model.objects.create_superuser("second", "second@example.org", "x")
    erasure.close(administrator)
    assert erasure.erase_closed() == 1


def test_the_last_administrator_is_told(user, django_user_model):
    administrator = django_user_model.objects.get(is_staff=True)
    client = Client()
    client.post("/accounts/login/", {"login": administrator.email, "password": "correct horse"})
    page = client.post("/account/delete/", {"email": administrator.email})
    assert "You are the only administrator" in page.content.decode()


def test_an_administrator_erases_somebody(marked, django_user_model):
    administrator = django_user_model.objects.get(is_superuser=True)
    client = Client()
    client.force_login(administrator)
    answer = client.post(f"/admin/auth/user/{marked.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 302
    marked.refresh_from_db()
    assert (marked.email, marked.is_active) == ("", False)
    erasure.erase_closed()
    assert not User.objects.filter(pk=marked.pk).exists()
    assert client.get(f"/admin/auth/user/{administrator.pk}/delete/").status_code == 403


def test_nothing_of_others_is_touched(user, other_user, astronaut):
    submit(user, astronaut)
    erasure.close(other_user)
    erasure.erase_closed()
    assert Analysis.objects.filter(owner=user).exists()
    assert User.objects.filter(pk=user.pk, is_active=True).exists()
