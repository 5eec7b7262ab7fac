"""What people do and look at is in the audit log, and stays there."""

import csv

import pytest
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from recognition.accounts import tasks as account_tasks
from recognition.api import keys
from recognition.audit import trail
from recognition.audit.actions import ADMINISTRATION, CHANGES, VIEWS, WORDS, action_of
from recognition.models import AuditEntry
from recognition.photos import tasks as photo_tasks
from tests.conftest import confirm
from tests.recognition.uploads import submit
from tests.recognition.videos.rows import make_video

# Changes of people's own data that are not worth an entry each: the rows themselves tell.
OWN_DATA = {
    *("api-analysis-list", "api-analysis-detail", "api-analysis-cancel", "api-analysis-rerun"),
    *("api-analysis-retry", "api-analysis-blur", "api-analysis-forget", "api-face-detail"),
    *("api-video-list", "api-upload-list", "api-upload-detail", "api-track-detail"),
    *("api-track-baseline", "api-track-merge", "api-track-split", "api-marker-list"),
    *("api-marker-detail", "api-export-detail", "api-export-cancel", "api-export-retry"),
    *("api-delivery-resend",),
}
# Nothing is changed, or it is confirmed who somebody is before something else is recorded.
UNRECORDED = {"api-run-estimate"}


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def api_routes(patterns) -> list[tuple[str, str]]:
    """The names and methods with which the API changes something."""
    found = []
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            found += api_routes(pattern.url_patterns)
        elif str(pattern.name).startswith("api-"):
            view = pattern.callback
            methods = getattr(view, "actions", None) or vars(view.cls)
            for method in ("post", "put", "patch", "delete"):
                if method in methods:
                    found.append((pattern.name, method.upper()))
    return found


def test_every_change_through_the_api_is_recorded_or_left_out_on_purpose():
    routes = api_routes(get_resolver().url_patterns)
    assert len(routes) > 40
    forgotten = [
        route for route in routes if not action_of(*route) and route[0] not in OWN_DATA | UNRECORDED
    ]
    assert forgotten == []


def test_every_action_has_words():
    assert {*VIEWS.values(), *CHANGES.values(), *ADMINISTRATION.values()} <= WORDS.keys()


@pytest.fixture
def photo(user, astronaut):
    analysis = submit(user, astronaut)
    photo_tasks.analyze(str(analysis.pk))
    return analysis


@pytest.mark.parametrize(
    "place",
    [
        *("/analyses/{}/photo/", "/analyses/{}/thumbnail/", "/api/v1/analyses/{}/photo/"),
        *("/api/v1/analyses/{}/thumbnail/", "/api/v1/analyses/{}/annotated/"),
    ],
)
def test_looking_at_a_photo_is_recorded(signed_in, user, photo, place):
    signed_in.get(place.format(photo.pk), REMOTE_ADDR="192.0.2.7")
    entry = AuditEntry.objects.get()
    assert (entry.user, entry.action, entry.subject) == (user, "picture.viewed", str(photo.pk))
    assert (entry.address, entry.key) == ("192.0.2.7", "")


def test_every_address_that_gives_pictures_or_files_is_recorded(signed_in, user, photo):
    video = make_video(user)
    for place in (
        f"/analyses/{video.pk}/media/",
        f"/api/v1/analyses/{video.pk}/tracks/1/picture/",
        f"/api/v1/analyses/{video.pk}/files/webvtt/",
        f"/analyses/{photo.pk}/faces.csv",
    ):
        assert signed_in.get(place).status_code == 200
    assert actions() == ["video.viewed", "face.viewed", *["numbers.downloaded"] * 2]


def test_the_same_picture_counts_once_in_a_while_and_anew_from_elsewhere(signed_in, photo):
    place = f"/analyses/{photo.pk}/photo/"
    for address in ("192.0.2.7", "192.0.2.7", "192.0.2.8"):
        signed_in.get(place, REMOTE_ADDR=address)
    assert len(actions()) == 2


def test_a_program_is_recorded_with_its_key(user, photo):
    key, text = keys.create(user, "script", ["read"])
    client = Client(headers={"Authorization": f"Bearer {text}"})
    client.get(f"/api/v1/analyses/{photo.pk}/photo/")
    entry = AuditEntry.objects.get()
    assert (entry.user, entry.key) == (user, key.prefix)


def test_a_stranger_who_is_refused_is_not_said_to_have_looked(client, other_user, photo):
    client.force_login(other_user)
    assert client.get(f"/analyses/{photo.pk}/photo/").status_code == 404
    assert actions() == []


def test_an_account_from_the_sign_in_to_the_sign_out(client, user):
    login = {"login": user.email, "password": "correct horse"}
    client.post("/accounts/login/", {**login, "password": "wrong"})
    client.post("/accounts/login/?next=/account/consent/", login)
    confirm(client)
    client.post("/api/v1/keys/", {"name": "a", "scopes": ["read"]}, "application/json")
    client.post("/account/data/", {"days": 30})
    client.post("/account/data/", {"days": 31})  # isn't offered
    client.post("/accounts/logout/")
    assert actions() == [
        *("account.sign_in_failed", "account.signed_in", "key.created"),
        *("account.retention_changed", "account.signed_out"),
    ]
    assert set(AuditEntry.objects.values_list("user", flat=True)) == {user.pk}


def test_what_had_to_be_confirmed_first_has_not_happened(signed_in, monkeypatch):
    monkeypatch.setattr("recognition.accounts.rules.signed_in_lately", lambda request: False)
    answer = signed_in.post("/accounts/2fa/recovery-codes/generate/")
    assert "reauthenticate" in answer["Location"]
    assert actions() == []


def test_administration_is_recorded(user, django_user_model):
    client = Client()
    client.force_login(django_user_model.objects.get(username="admin"))
    client.post("/admin/recognition/allowance/add/", {"user": user.pk, "upload_mb": 5})
    client.post("/admin/recognition/allowance/add/", {"user": ""})  # refused with a form
    client.post("/api/v1/jobs/queues/analyses/pause/")
    found = list(AuditEntry.objects.order_by("pk").values_list("action", "subject"))
    assert found == [
        ("administration.changed", "recognition_allowance_add"),
        ("queue.paused", "analyses"),
    ]


def test_everybody_reads_their_own(signed_in, user, other_user):
    trail.record("account.signed_in", user.pk, address="192.0.2.7")
    trail.record("account.signed_in", other_user.pk, address="198.51.100.1")
    page = signed_in.get("/account/activity/").content.decode()
    assert "Signed in" in page
    assert "192.0.2.7" in page
    assert "198.51.100.1" not in page
    answer = signed_in.get("/account/activity.csv")
    rows = list(csv.DictReader(answer.getvalue().decode().splitlines()))
    assert [row["address"] for row in rows] == ["192.0.2.7"]


def test_the_activity_has_pages(signed_in, user):
    AuditEntry.objects.bulk_create(
        AuditEntry(user=user, action="picture.viewed", subject=f"number-{n}") for n in range(60)
    )
    assert "number-0<" not in signed_in.get("/account/activity/").content.decode()
    assert "number-0<" in signed_in.get("/account/activity/?page=2").content.decode()


def test_nobody_changes_the_log_in_the_administration(user, django_user_model):
    trail.record("account.signed_in", user.pk)
    entry = AuditEntry.objects.get()
    client = Client()
    client.force_login(django_user_model.objects.get(username="admin"))
    place = f"/admin/recognition/auditentry/{entry.pk}"
    for page in ("change", "delete"):
        assert client.post(f"{place}/{page}/", {"action": "x", "post": "yes"}).status_code == 403
    assert client.get("/admin/recognition/auditentry/add/").status_code == 403
    listed = client.get("/admin/recognition/auditentry/?action=account.signed_in")
    assert "Signed in" in listed.content.decode()
    delete = {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"}
    client.post("/admin/recognition/auditentry/", delete)
    entry.refresh_from_db()
    assert entry.action == "account.signed_in"


def test_administrators_download_it_and_that_is_recorded(user, django_user_model):
    trail.record("account.signed_in", user.pk, address="192.0.2.7")
    client = Client()
    client.force_login(django_user_model.objects.get(username="admin"))
    chosen = {"action": "download", "_selected_action": [AuditEntry.objects.get().pk]}
    answer = client.post("/admin/recognition/auditentry/", chosen)
    rows = list(csv.DictReader(answer.getvalue().decode().splitlines()))
    assert [(row["who"], row["what"]) for row in rows] == [(user.email, "Signed in")]
    assert actions() == ["account.signed_in", "audit.downloaded"]


def test_no_cell_is_a_formula(user):
    user.email = "=cmd@example.org"
    user.save()
    trail.record("account.signed_in", user.pk)
    assert ",'=cmd@example.org," in "".join(trail.as_csv(trail.entries_of(user.pk)))


def test_old_entries_go(user, settings):
    settings.AUDIT_DAYS = 30
    for days in (29, 31):
        at = timezone.now() - timezone.timedelta(days=days)
        AuditEntry.objects.create(user=user, action="account.signed_in", subject=days, at=at)
    account_tasks.delete_expired()
    assert AuditEntry.objects.get().subject == "29"
    settings.AUDIT_DAYS = 0
    account_tasks.delete_expired()
    assert AuditEntry.objects.count() == 1


def test_without_redis_nothing_is_left_out(signed_in, photo, settings):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1"}}
    for _time in range(2):
        assert signed_in.get(f"/analyses/{photo.pk}/photo/").status_code == 200
    assert actions() == ["picture.viewed"] * 2


def test_a_person_who_is_erased_is_forgotten_but_their_administration_is_not(user):
    trail.record("picture.viewed", user.pk, subject="x", address="192.0.2.7")
    trail.record("queue.paused", user.pk, subject="analyses", address="192.0.2.7")
    trail.forget(user.pk)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.user, entry.address) == ("queue.paused", None, None)
