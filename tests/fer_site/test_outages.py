"""Pages while Redis or the database doesn't respond."""

import pytest
from django.db import OperationalError

from recognition.history import views

SIGN_IN = {"login": "ada@example.org", "password": "correct horse"}


@pytest.fixture
def no_redis(settings):
    cache = settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": cache}


def test_signing_in_without_redis_says_to_try_again(client, user, no_redis):
    assert client.get("/accounts/login/").status_code == 200
    answer = client.post("/accounts/login/", SIGN_IN)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "10"
    assert "try again shortly" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_signing_in_works_again_afterwards(client, user):
    assert client.post("/accounts/login/", SIGN_IN).status_code == 302
    assert client.session["_auth_user_id"] == str(user.pk)


def test_who_is_signed_in_goes_on_without_redis(signed_in, no_redis):
    assert signed_in.get("/analyses/").status_code == 200


def test_a_database_that_is_away_is_said(signed_in, monkeypatch):
    def fail(*arguments, **more):
        raise OperationalError("the connection was closed")

    monkeypatch.setattr(views, "render", fail)
    answer = signed_in.get("/analyses/")
    assert answer.status_code == 503
    assert "Part of this site" in answer.content.decode()


def test_other_errors_stay_errors(signed_in, monkeypatch):
    def fail(*arguments, **more):
        raise ValueError("a bug")

    monkeypatch.setattr(views, "render", fail)
    with pytest.raises(ValueError, match="a bug"):
        signed_in.get("/analyses/")
