"""A second factor in a real browser: an app's code, a passkey, and confirming with the password."""

import re
import time

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Page, expect

from tests.browser.chromium import create_account
from tests.browser.test_training_run import administrator, site

__all__ = ["administrator", "site"]  # the fixtures

PASSWORD = "correct horse battery"


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def sign_in(page: Page, email: str, site: str = "") -> None:
    page.goto(f"{site}/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main form button[type=submit]").click()


def sign_out(page: Page) -> None:
    page.get_by_label("Account menu").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in").first.wait_for()


def forget_sign_in(live_site, email: str) -> None:
    """As if the person had signed in a while ago."""
    code = f"""
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.contrib.auth.models import User
pk = str(User.objects.get(email={email!r}).pk)
for row in Session.objects.all():
    if row.get_decoded().get("_auth_user_id") == pk:
        session = SessionStore(row.session_key)
        session.pop("signed_in_at", None)
        session.pop("account_authentication_methods", None)
        session.save()
"""
    live_site.manage("shell", "-v0", "-c", code)


def test_an_authenticator_app_is_set_up_and_used(visitor, live_site):
    create_account(visitor, live_site.url, "totp@example.org", PASSWORD)
    visitor.get_by_label("Account menu").click()
    visitor.get_by_role("link", name="Two-factor authentication").click()
    visitor.get_by_role("link", name="Set up an authenticator app").click()
    assert visitor.locator(".qr").evaluate("image => image.naturalWidth") > 0
    visitor.get_by_text("Can't scan it?").click()
    secret = visitor.locator(".secret").inner_text()
    visitor.get_by_label("Authenticator code").fill("12")
    visitor.get_by_role("button", name="Turn on").click()
    expect(visitor.locator(".field-errors")).to_contain_text("shows right now")
    visitor.get_by_label("Authenticator code").fill(code_of(secret))
    visitor.get_by_role("button", name="Turn on").click()
    expect(visitor.locator(".codes li")).to_have_count(10)
    recovery = visitor.locator(".codes li").first.inner_text()

    sign_out(visitor)
    sign_in(visitor, "totp@example.org")
    visitor.get_by_label("Code").fill(recovery)
    visitor.get_by_role("button", name="Sign in", exact=True).click()
    expect(visitor.locator("#drop")).to_be_visible()


def test_a_passkey_is_added_and_used(visitor, live_site):
    # Browsers give passkeys to names, never to 127.0.0.1.
    url = live_site.url.replace("127.0.0.1", "localhost")
    add_virtual_authenticator(visitor)
    create_account(visitor, url, "passkey@example.org", PASSWORD)
    visitor.goto(f"{url}/accounts/2fa/")
    visitor.get_by_role("link", name="Add a passkey").click()
    visitor.get_by_label("Name").fill("this laptop")
    visitor.get_by_role("button", name="Add passkey").click()
    expect(visitor.locator(".codes li")).to_have_count(10)

    visitor.goto(f"{url}/accounts/2fa/webauthn/")
    expect(visitor.locator(".rows")).to_contain_text("this laptop")
    visitor.get_by_role("link", name="Add a passkey").click()
    visitor.get_by_role("button", name="Add passkey").click()
    expect(visitor.locator("#passkey-problem")).to_contain_text("on your account already")

    sign_out(visitor)
    sign_in(visitor, "passkey@example.org", url)
    visitor.get_by_role("button", name="Use a passkey").click()
    expect(visitor.locator("#drop")).to_be_visible()


def add_virtual_authenticator(page: Page) -> None:
    """A passkey provider of the browser that agrees to everything."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
    options |= {"hasUserVerification": True, "isUserVerified": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_at_a_number_passkeys_are_explained(person):
    person.goto("/accounts/2fa/webauthn/add/")
    person.get_by_role("button", name="Add passkey").click()

    expect(person.locator("#passkey-problem")).to_contain_text("host name")


def test_a_key_needs_the_password_again_and_nothing_is_lost(visitor, live_site):
    create_account(visitor, live_site.url, "again@example.org", PASSWORD)
    forget_sign_in(live_site, "again@example.org")
    visitor.goto("/account/keys/")
    visitor.get_by_label("Name").fill("my script & more")
    visitor.get_by_label("Valid for").select_option("30 days")
    visitor.get_by_label("Upload, change and delete").uncheck()
    visitor.get_by_role("button", name="Create key").click()
    confirm(visitor)

    expect(visitor.get_by_label("Name")).to_have_value("my script & more")
    expect(visitor.get_by_label("Valid for")).to_have_value("30")
    expect(visitor.get_by_label("Upload, change and delete")).not_to_be_checked()
    expect(visitor.get_by_role("button", name="Create key")).to_be_focused()
    assert visitor.url.endswith("/account/keys/")
    visitor.get_by_role("button", name="Create key").click()
    expect(visitor.get_by_label("The new key")).to_have_value(re.compile("^mien_"))
    visitor.complaints.clear()  # the browser logs the refused request


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_code_is_dark_on_white_in_both_themes(person, theme):
    person.emulate_media(color_scheme=theme)
    person.goto("/accounts/2fa/totp/activate/")

    expect(person.locator(".qr")).to_have_css("background-color", "rgb(255, 255, 255)")


@pytest.mark.slow
def test_a_promotion_and_a_roll_back_go_on_after_the_password(administrator, site):
    page = administrator
    page.goto("/models/")
    register = """
from recognition.registry import registry
from tests.recognition.networks import network, shipped_card
registry.register(network(), shipped_card())
"""
    site.manage("shell", "-v0", "-c", register)
    page.reload()
    forget_sign_in(site, "root@example.org")
    page.get_by_role("button", name="Promote").click()
    page.locator("#ask-yes").click()
    confirm(page)
    expect(page.locator("#ask-title")).to_have_text("Promote version 2?")
    page.locator("#ask-yes").click()
    expect(page.locator(".version").first.locator(".tag")).to_have_text("active")
    assert page.url.endswith("/models/")

    forget_sign_in(site, "root@example.org")
    page.get_by_role("button", name="Roll back").click()
    page.locator("#ask-yes").click()
    confirm(page)
    expect(page.locator(".message")).to_contain_text("Version 1 is active again")
    page.complaints.clear()  # the browser logs the refused request


def confirm(page: Page) -> None:
    page.wait_for_url(re.compile("/accounts/reauthenticate/"))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
