"""Signing in through a real server with OpenID Connect, on a real site."""

import re
import sqlite3
from contextlib import closing

import httpx
import pytest

from tests.conftest import LiveSite
from tests.recognition.accounts.sign_on_server import CLIENT, SECRET, SignOnServer

PASSWORD = "correct horse battery"
PEOPLE = """
from django.contrib.auth.models import User
User.objects.create_superuser("admin", "admin@example.org", "correct horse battery")
User.objects.create_user("ada", "ada@example.org", "correct horse battery")
User.objects.create_user("made", "made@example.org", None)
User.objects.create_user("chief", "chief@example.org", None, is_staff=True)
User.objects.create_user("gone", "gone@example.org", None, is_active=False)
"""
AGE = """
from importlib import import_module
from django.contrib.sessions.models import Session
store = import_module("django.contrib.sessions.backends.db").SessionStore
for row in Session.objects.all():
    session = store(row.session_key)
    session["signed_in_at"] = 0
    for record in session.get("account_authentication_methods", []):
        record["at"] = 0
    session.save()
"""


@pytest.fixture(scope="module")
def server():
    server = SignOnServer()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def site(tmp_path_factory, server):
    folder = tmp_path_factory.mktemp("sign-on")
    site = LiveSite(
        folder,
        MIEN_OIDC_ISSUER=server.url,
        MIEN_OIDC_CLIENT_ID=CLIENT,
        MIEN_OIDC_CLIENT_SECRET=SECRET,
        MIEN_OIDC_NAME="the lab",
    )
    site.manage("shell", "-c", PEOPLE)
    yield site
    site.stop()


@pytest.fixture
def browser(site):
    with httpx.Client(base_url=site.url, follow_redirects=True, timeout=30) as browser:
        yield browser


def rows(site, query: str, *values: object) -> list[tuple]:
    with closing(sqlite3.connect(site.data_dir / "mien.sqlite3")) as database:
        return database.execute(query, values).fetchall()


def submit(browser, page: httpx.Response, mark: str = "", **values: str) -> httpx.Response:
    """Send the form of a page whose address has this mark."""
    for form in re.findall(r"<form.*?</form>", page.text, re.S):
        action = re.search(r'action="([^"]*)"', form)
        address = action[1].replace("&amp;", "&") if action else str(page.url)
        if mark in address and 'method="post"' in form:
            fields = {}
            for field in re.findall(r"<input[^>]*>", form):
                name, value = (re.search(rf'{one}="([^"]*)"', field) for one in ("name", "value"))
                if name:
                    fields[name[1]] = value[1] if value else ""
            return browser.post(
                page.url.join(address), data=fields | values, headers={"Referer": str(page.url)}
            )
    raise AssertionError(f"No form for {mark}: {page.text}")


def sign_on(browser, server, person: dict | None) -> httpx.Response:
    server.person = person
    return submit(browser, browser.get("/accounts/login/"), "/oidc/")


def person(who: str, **more: object) -> dict:
    return {"sub": f"number-of-{who}", "email": f"{who}@example.org"} | more


VERIFIED = {"email_verified": True}


def me(browser) -> str:
    return browser.get("/api/v1/me/").json().get("email", "")


def test_a_newcomer_gets_an_account_with_a_verified_address_and_no_rights(browser, server, site):
    more = {"name": "Nell New", "picture": "https://example.org/nell", "groups": ["admins"]}
    more["preferred_username"] = "closed:1"
    answer = sign_on(browser, server, person("nell", **VERIFIED, **more))
    assert (answer.status_code, answer.url.path) == (200, "/")
    assert me(browser) == "nell@example.org"
    query = (
        "SELECT is_staff, is_superuser, first_name, verified, extra_data FROM auth_user u"
        " JOIN account_emailaddress e ON e.user_id = u.id"
        " JOIN socialaccount_socialaccount s ON s.user_id = u.id"
        " WHERE u.email = ? AND u.username NOT LIKE 'closed:%'"
    )
    found = '{"userinfo": {"email": "nell@example.org"}}'
    assert rows(site, query, "nell@example.org") == [(0, 0, "", 1, found)]
    assert rows(site, "SELECT * FROM socialaccount_socialtoken") == []


def test_who_was_here_before_comes_back_even_with_another_address(browser, server, site):
    sign_on(browser, server, person("otto", **VERIFIED))
    browser.cookies.clear()
    sign_on(browser, server, person("otto", email="moved@example.org", email_verified=False))
    assert me(browser) == "otto@example.org"


@pytest.mark.parametrize("said", [{}, {"email_verified": False}, {"email_verified": "false"}])
def test_an_address_that_is_not_verified_is_refused(browser, server, site, said):
    answer = sign_on(browser, server, person("unsure", **said))
    assert answer.status_code == 403
    assert "verified" in answer.text
    assert me(browser) == ""
    assert rows(site, "SELECT * FROM auth_user WHERE email = 'unsure@example.org'") == []


def test_nobody_gets_at_an_account_with_a_password_by_its_address(browser, server, site):
    answer = sign_on(browser, server, person("ada", **VERIFIED))
    assert answer.status_code == 403
    assert "There is an account with the address ada@example.org already" in answer.text
    assert me(browser) == ""


@pytest.mark.parametrize("name", ["chief", "gone"])
def test_nobody_becomes_staff_or_active_by_an_address(browser, server, site, name):
    assert sign_on(browser, server, person(name, **VERIFIED)).status_code == 403
    assert me(browser) == ""


def test_an_account_made_without_a_password_is_for_who_has_the_address(browser, server, site):
    sign_on(browser, server, person("made", **VERIFIED))
    assert me(browser) == "made@example.org"
    browser.cookies.clear()
    other = person("made", **VERIFIED) | {"sub": "somebody else with that address now"}
    assert sign_on(browser, server, other).status_code == 403


def test_an_account_with_a_password_is_connected_by_its_owner(browser, server, site):
    values = {"login": "ada@example.org", "password": PASSWORD}
    submit(browser, browser.get("/accounts/login/"), "/accounts/login/", **values)
    server.person = person("at-work")
    answer = submit(browser, browser.get("/accounts/connections/"), "/oidc/")
    assert "You can sign in with the lab" in answer.text
    browser.cookies.clear()
    sign_on(browser, server, person("at-work"))
    assert me(browser) == "ada@example.org"

    answer = submit(browser, browser.get("/accounts/connections/"), "/accounts/connections/")
    assert "Connect your account at the lab" in answer.text
    assert rows(site, "SELECT * FROM socialaccount_socialaccount WHERE uid LIKE '%at-work'") == []


def test_who_has_nothing_else_cannot_disconnect(browser, server, site):
    sign_on(browser, server, person("sole", **VERIFIED))
    answer = submit(browser, browser.get("/accounts/connections/"), "/accounts/connections/")
    assert "Set a password first" in answer.text


def test_what_needs_a_confirmation_asks_to_sign_in_again(browser, server, site):
    sign_on(browser, server, person("careful", **VERIFIED))
    assert "prompt" not in server.asked
    site.manage("shell", "-c", AGE)
    page = browser.get("/account/delete/")
    assert "Confirm that it&#x27;s you" in page.text or "Confirm that it's you" in page.text
    answer = submit(browser, page, "/oidc/")
    assert server.asked["prompt"] == "login"
    assert answer.url.path == "/account/delete/"
    assert "Your email address, to confirm" in answer.text


def test_a_second_factor_is_asked_for_here(browser, server, site):
    sign_on(browser, server, person("double", **VERIFIED))
    code = """
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import User
TOTP.activate(User.objects.get(email="double@example.org"), "A" * 32)
"""
    site.manage("shell", "-c", code)
    browser.cookies.clear()
    answer = sign_on(browser, server, person("double", **VERIFIED))
    assert answer.url.path == "/accounts/2fa/authenticate/"
    assert me(browser) == ""


def test_a_deleted_account_takes_its_connection_along(browser, server, site):
    sign_on(browser, server, person("leaver", **VERIFIED))
    values = {"email": "leaver@example.org"}
    submit(browser, browser.get("/account/delete/"), "/account/delete/", **values)
    assert rows(site, "SELECT * FROM socialaccount_socialaccount WHERE uid LIKE '%leaver'") == []
    sign_on(browser, server, person("leaver", **VERIFIED))  # as somebody new
    assert me(browser) == "leaver@example.org"


def test_who_turns_back_is_told(browser, server, site):
    answer = sign_on(browser, server, None)
    assert "You didn't go on at the lab" in answer.text


def test_an_answer_that_was_not_asked_for_is_refused(browser, server, site):
    sign_on(browser, server, person("mallory", **VERIFIED))
    stolen = f"{browser.base_url}{httpx.URL(server.asked['redirect_uri']).path}?code=x&state=y"
    with httpx.Client(base_url=site.url, follow_redirects=True) as victim:
        answer = victim.get(stolen)
        assert "Not signed in" in answer.text
        assert me(victim) == ""


def test_the_page_allows_its_form_to_lead_there(browser, server, site):
    policy = browser.get("/accounts/login/").headers["Content-Security-Policy"]
    (actions,) = (part for part in policy.split("; ") if part.startswith("form-action"))
    assert actions.split()[1:] == ["'self'", server.url.removesuffix("/realms/lab")]
