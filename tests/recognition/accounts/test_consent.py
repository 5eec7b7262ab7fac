"""Consent: versions of texts, who accepted them, and what waits until they do."""

import io

import pytest
from django.test import Client

from recognition import consent
from recognition.api import keys
from recognition.models import Analysis, Consent, ConsentText
from recognition.photos import tasks as photo_tasks
from tests.recognition.uploads import submit


@pytest.fixture
def administrator(user, django_user_model):
    return django_user_model.objects.get(username="admin")


@pytest.fixture
def text(administrator):
    return consent.publish("", "We analyze faces.\n\nAsk us.", administrator)


def upload(client, photo, place="analyses", field="photos", **options):
    file = io.BytesIO(photo)
    file.name = "a.jpg"
    return client.post(f"/api/v1/{place}/", {field: file, **options})


def agree(client, text, **values):
    return client.post("/account/consent/", {"text": text.pk, **values})


def test_without_a_text_nobody_is_asked(signed_in, astronaut):
    assert signed_in.get("/").status_code == 200
    assert upload(signed_in, astronaut).status_code == 202
    assert "asks for no consent" in signed_in.get("/account/consent/").content.decode()


def test_people_are_led_to_the_text_and_back(signed_in, user, text):
    for page in ("/", "/live/"):
        assert signed_in.get(page)["Location"].startswith("/account/consent/?next=")
    page = signed_in.get("/account/consent/").content.decode()
    assert "<p>We analyze faces.</p>" in page
    answer = signed_in.post("/account/consent/?next=/live/", {"text": text.pk})
    assert answer["Location"] == "/live/"
    assert signed_in.get("/").status_code == 200
    given = Consent.objects.get()
    assert (given.user, given.text, given.withdrawn_at) == (user, text, None)


@pytest.mark.parametrize("place", ["https://evil.example/", "//evil.example/", "javascript:x"])
def test_nobody_is_led_to_another_site(signed_in, text, place):
    answer = signed_in.post(f"/account/consent/?next={place}", {"text": text.pk})
    assert answer["Location"] == "/account/consent/"


@pytest.mark.parametrize(
    ("place", "field"), [("analyses", "photos"), ("videos", "video"), ("uploads", "file")]
)
def test_nothing_is_analyzed_before(signed_in, user, text, astronaut, place, field):
    _key, key = keys.create(user, "script", ["read", "analyze"])
    program = Client(headers={"Authorization": f"Bearer {key}"})
    for client in (signed_in, program):
        if place == "uploads":
            answer = client.post("/api/v1/uploads/", headers={"Tus-Resumable": "1.0.0"})
        else:
            answer = upload(client, astronaut, place, field)
        assert (answer.status_code, answer.json()["code"]) == (403, "consent_needed")
        assert "/account/consent/" in answer.json()["detail"]
    assert not Analysis.objects.exists()


def test_what_was_there_before_can_be_read_taken_and_deleted(signed_in, user, astronaut, text):
    analysis = submit(user, astronaut)
    photo_tasks.analyze(str(analysis.pk))
    place = f"/api/v1/analyses/{analysis.pk}/"
    assert signed_in.get("/analyses/").status_code == 200
    assert signed_in.get(f"{place}photo/").status_code == 200
    assert signed_in.post(f"{place}rerun/", {"model_version": 1}).status_code == 403
    assert signed_in.post("/api/v1/exports/", {"format": "csv"}).status_code != 403
    assert signed_in.delete(place).status_code == 204


def test_a_new_version_is_asked_for_again(signed_in, text, administrator):
    agree(signed_in, text)
    newer = consent.publish("", "We keep it longer.", administrator)
    assert newer.version == 2
    assert signed_in.get("/").status_code == 302
    assert agree(signed_in, text).status_code == 404  # the old one
    agree(signed_in, newer)
    assert signed_in.get("/").status_code == 200


def test_a_consent_is_withdrawn_and_given_again(signed_in, text):
    for _click in range(2):
        agree(signed_in, text)
    assert Consent.objects.count() == 1
    agree(signed_in, text, withdraw=1)
    assert signed_in.get("/").status_code == 302
    assert Consent.objects.get().withdrawn_at is not None
    agree(signed_in, text)
    assert signed_in.get("/").status_code == 200
    assert Consent.objects.count() == 2  # both stay on record


def test_a_project_asks_for_itself_and_marks_its_entries(signed_in, astronaut, administrator):
    text = consent.publish("Sleep study", "We look at tired faces.", administrator)
    assert "<option>Sleep study</option>" in signed_in.get("/").content.decode()
    refused = upload(signed_in, astronaut, project="Sleep study")
    assert (refused.status_code, refused.json()["code"]) == (403, "consent_needed")
    assert "Sleep study" in refused.json()["detail"]
    assert upload(signed_in, astronaut).status_code == 202  # without the project
    agree(signed_in, text)
    answer = upload(signed_in, astronaut, project="Sleep study", tags=["monday"])
    assert answer.json()["analyses"][0]["tags"] == ["monday", "Sleep study"]


def test_a_project_that_does_not_exist(signed_in, astronaut):
    answer = upload(signed_in, astronaut, project="Nothing")
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_project")


def test_administrators_publish_and_retire_texts(administrator):
    client = Client()
    client.force_login(administrator)
    add = "/admin/recognition/consenttext/add/"
    assert "AI system" not in client.get(add).content.decode()
    assert "Taking part is voluntary" in client.get(add).content.decode()
    for body in ("First.", "Second."):
        assert client.post(add, {"project": "", "body": body}).status_code == 302
    found = list(ConsentText.objects.order_by("version").values_list("version", "body"))
    assert found == [(1, "First."), (2, "Second.")]
    assert consent.current().published_by == administrator
    assert "Second." in client.get(add).content.decode()  # the next one starts from it
    newest = consent.current()
    place = f"/admin/recognition/consenttext/{newest.pk}/change/"
    client.post(place, {"project": "", "body": "Changed."})
    newest.refresh_from_db()
    assert newest.body == "Second."
    client.post(
        "/admin/recognition/consenttext/", {"action": "retire", "_selected_action": [newest.pk]}
    )
    assert consent.current() is None


def test_html_in_a_text_stays_text(signed_in, administrator):
    consent.publish("", "<script>alert(1)</script>", administrator)
    assert "<script>alert(1)" not in signed_in.get("/account/consent/").content.decode()
