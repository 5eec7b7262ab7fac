"""The first visit, sign-up, sign-in and sign-out."""

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.db import IntegrityError

from recognition.accounts import rules

pytestmark = pytest.mark.django_db

FORM = {"email": "first@example.org", "password1": "sunny-day-47", "password2": "sunny-day-47"}


def test_the_first_visit_leads_to_the_set_up(client):
    for address in ("/", "/analyses/", "/accounts/login/", "/accounts/signup/"):
        assert client.get(address).url == "/setup/"


def test_before_the_set_up_programs_are_told_so(client):
    for address in ("/api/v1/analyses/", "/api/v1/nothing/"):
        response = client.get(address)
        assert (response.status_code, response.json()["code"]) == (403, "not_set_up")
        assert response["Content-Type"] == "application/problem+json"


def test_the_set_up_creates_an_administrator_and_signs_in(client):
    response = client.post("/setup/", FORM)

    assert response.url == "/"
    user = get_user_model().objects.get()
    assert user.is_superuser
    assert user.email == "first@example.org"
    assert client.get("/").context["user"] == user


def test_the_set_up_is_gone_afterwards(client):
    client.post("/setup/", FORM)

    assert client.get("/setup/").status_code == 404
    assert client.post("/setup/", FORM).status_code == 404


@pytest.mark.parametrize(
    "change",
    [{"password2": "another-one"}, {"password1": "123", "password2": "123"}, {"email": "nobody"}],
    ids=["passwords differ", "weak password", "no address"],
)
def test_the_set_up_explains_what_is_wrong(client, change):
    response = client.post("/setup/", FORM | change)

    assert response.status_code == 200
    assert response.context["form"].errors
    assert not get_user_model().objects.exists()


def test_of_two_who_set_up_at_once_one_wins(db):
    rules.create_first_administrator("first@example.org", "sunny-day-47")

    with pytest.raises(IntegrityError):
        rules.create_first_administrator("second@example.org", "sunny-day-47")


def test_the_administrator_can_sign_in_by_e_mail(client):
    client.post("/setup/", FORM)
    client.post("/accounts/logout/")
    response = client.post(
        "/accounts/login/", {"login": "first@example.org", "password": "sunny-day-47"}
    )

    assert response.url == "/"


def test_the_administrator_s_address_may_have_capital_letters(client):
    client.post("/setup/", FORM | {"email": "First@Example.org"})
    client.post("/accounts/logout/")
    response = client.post(
        "/accounts/login/", {"login": "First@Example.org", "password": "sunny-day-47"}
    )

    assert response.url == "/"


def test_a_person_signs_up_by_e_mail(client, user):
    response = client.post("/accounts/signup/", FORM)

    assert response.status_code == 302
    assert client.get("/").context["user"].email == "first@example.org"


def test_sign_up_can_be_closed(client, user, settings):
    settings.OPEN_SIGNUP = False
    client.post("/accounts/signup/", FORM)

    assert not get_user_model().objects.filter(email="first@example.org").exists()


def test_a_forgotten_password_is_reset_by_e_mail(client, user):
    client.post("/accounts/password/reset/", {"email": user.email})

    assert mail.outbox[0].to == [user.email]
    assert "/accounts/password/reset/key/" in mail.outbox[0].body


def test_failed_sign_ins_are_limited(client, user):
    wrong = {"login": user.email, "password": "wrong"}
    responses = [client.post("/accounts/login/", wrong) for _ in range(12)]

    right = {"login": user.email, "password": "correct horse"}
    assert client.post("/accounts/login/", right).status_code != 302
    assert b"Too many" in responses[-1].content or responses[-1].status_code == 429


def test_the_administration_has_no_sign_in_without_limits(client, user):
    response = client.post("/admin/login/", {"username": user.email, "password": "wrong"})

    assert response.status_code == 302
    assert response.url.startswith("/accounts/login/?next=")


def test_a_closed_sign_up_is_not_offered(client, user, settings):
    settings.OPEN_SIGNUP = False

    for page in ("/", "/accounts/login/"):
        assert "/accounts/signup/" not in client.get(page).content.decode()
