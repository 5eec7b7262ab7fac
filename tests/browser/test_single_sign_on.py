"""Single sign-on in a browser, which has to be allowed to follow the form to another site."""

import pytest

from tests.browser.conftest import open_page
from tests.conftest import LiveSite
from tests.recognition.accounts.sign_on_server import CLIENT, SECRET, SignOnServer

SET_UP = """
from django.contrib.auth.models import User
User.objects.create_superuser("admin", "admin@example.org", "correct horse")
"""


@pytest.fixture(scope="module")
def server():
    server = SignOnServer()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def site(tmp_path_factory, server):
    site = LiveSite(
        tmp_path_factory.mktemp("sign-on"),
        MIEN_OIDC_ISSUER=server.url,
        MIEN_OIDC_CLIENT_ID=CLIENT,
        MIEN_OIDC_CLIENT_SECRET=SECRET,
        MIEN_OIDC_NAME="Example University",
    )
    site.manage("shell", "-c", SET_UP)
    yield site
    site.stop()


@pytest.fixture
def page(browser, site):
    yield from open_page(browser, site)


def test_one_button_signs_in_and_the_account_shows_it(page, server, site):
    server.person = {"sub": "1", "email": "ada@example.org", "email_verified": True}
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Continue with Example University").click()
    page.wait_for_url(f"{site.url}/")

    page.goto("/accounts/connections/")
    page.get_by_role("radio", name="ada@example.org").wait_for()
    assert page.get_by_role("link", name="Sign-in").get_attribute("aria-current") == "page"


def test_a_taken_address_is_told_what_to_do(page, server, site):
    server.person = {"sub": "2", "email": "admin@example.org", "email_verified": True}
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Continue with Example University").click()
    page.get_by_text("There is an account with the address admin@example.org already").wait_for()
    page.complaints.clear()  # Chromium says that the page's status was 403
