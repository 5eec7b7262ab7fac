"""Password or second factor once more before a key is created or a version promoted."""

import pytest
from django.test import Client

from recognition.api import keys
from recognition.models import ApiKey
from recognition.registry import registry
from tests.conftest import confirm
from tests.recognition.networks import network, shipped_card

KEYS = "/api/v1/keys/"
KEY = {"name": "notebook", "scopes": ["read"]}


def make_key(client):
    return client.post(KEYS, KEY, content_type="application/json")


@pytest.fixture
def administrator(user, django_user_model):
    return django_user_model.objects.get(username="admin")


def test_without_it_no_key_is_created(signed_in):
    answer = make_key(signed_in)

    assert (answer.status_code, answer.json()["code"]) == (403, "reauthentication_needed")
    assert "enter your password" in answer.json()["detail"]
    assert not ApiKey.objects.exists()


def test_the_password_is_enough(signed_in):
    confirm(signed_in)

    assert make_key(signed_in).status_code == 201


def test_a_wrong_password_is_not(signed_in):
    page = signed_in.post("/accounts/reauthenticate/", {"password": "wrong"})

    assert "Incorrect password" in page.content.decode()
    assert make_key(signed_in).status_code == 403


SIGN_UP = {"email": "new@example.org", "password1": "sunny-day-47", "password2": "sunny-day-47"}


@pytest.mark.parametrize(
    ("page", "form"),
    [
        ("/accounts/login/", {"login": "ada@example.org", "password": "correct horse"}),
        ("/accounts/signup/", SIGN_UP),
    ],
)
def test_who_has_just_signed_in_or_up_is_not_asked(client, user, page, form):
    client.post(page, form)

    assert make_key(client).status_code == 201


def test_who_has_just_set_up_the_site_is_not_asked(client, db):
    client.post("/setup/", SIGN_UP)

    assert make_key(client).status_code == 201


@pytest.mark.parametrize("how", ["by signing in", "by confirming"])
def test_after_fifteen_minutes_it_is_asked_for_again(client, user, how):
    if how == "by confirming":
        client.force_login(user)
        confirm(client)
    else:
        client.post("/accounts/login/", {"login": user.email, "password": "correct horse"})
    assert make_key(client).status_code == 201
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 15 * 60
    if "signed_in_at" in session:
        session["signed_in_at"] -= 15 * 60
    session.save()

    assert make_key(client).json()["code"] == "reauthentication_needed"


def test_it_does_not_count_for_the_next_person_in_this_browser(client, user, other_user):
    client.post("/accounts/login/", {"login": user.email, "password": "correct horse"})
    client.force_login(other_user)

    assert make_key(client).status_code == 403


def test_mistakes_in_the_form_are_told_first(signed_in):
    answer = signed_in.post(KEYS, {"name": "x", "scopes": []}, content_type="application/json")

    assert answer.json()["code"] == "invalid"


def test_the_page_leads_back_with_what_was_entered(signed_in):
    back = "/account/keys/?name=my+script&days=90&scopes=read"
    page = signed_in.get("/accounts/reauthenticate/", {"next": back})
    assert 'name="next"' in page.content.decode()

    answer = signed_in.post(
        "/accounts/reauthenticate/", {"password": "correct horse", "next": back}
    )
    assert answer.url == back


def test_it_does_not_lead_to_other_sites(signed_in):
    answer = signed_in.post(
        "/accounts/reauthenticate/", {"password": "correct horse", "next": "https://evil.example/"}
    )

    assert answer.url == "/"


def test_before_a_promotion_too(client, administrator):
    registry.register_shipped_model()
    version = registry.register(network(), shipped_card())
    client.force_login(administrator)
    address = f"/api/v1/models/{version.number}/promote/"

    def promote():
        return client.post(address, {"confirmed": True}, content_type="application/json")

    assert promote().json()["code"] == "reauthentication_needed"
    assert registry.active_version().number == 1
    confirm(client)
    assert promote().json()["active"]


def test_programs_are_not_asked(administrator):
    registry.register_shipped_model()
    version = registry.register(network(), shipped_card())
    _key, text = keys.create(administrator, "trainer", ["train"])
    program = Client(headers={"authorization": f"Bearer {text}"})
    address = f"/api/v1/models/{version.number}/promote/"

    assert program.post(address, {"confirmed": True}, "application/json").json()["active"]
