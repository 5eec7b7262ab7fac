"""Every page in a real browser: accounts, themes, narrow windows, the content security policy."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import create_account

OPEN = ["/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"]
SIGNED_IN = [
    *["/", "/live/", "/analyses/", "/analyses/?emotion=happy&since=2026-01-01", "/exports/"],
    *["/accounts/email/", "/accounts/password/change/", "/account/keys/", "/account/webhooks/"],
    *["/account/data/", "/account/delete/"],
    *["/accounts/2fa/", "/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/add/"],
]


def assert_fits(page):
    """No part of the page is wider than the window."""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


@pytest.mark.parametrize("width", [360, 768, 1600])
def test_pages_fit_the_window(person, photos, width):
    person.set_viewport_size({"width": width, "height": 800})
    person.locator("#files").set_input_files(list(photos.values()))
    expect(person.locator("#batch-count")).to_contain_text("7 of 7 done")
    person.complaints.clear()  # the browser logs the refused file
    assert_fits(person)
    results = person.locator("#cards a[href]").evaluate_all("links => links.map((a) => a.href)")
    assert len(results) == 6
    for address in [*SIGNED_IN, *results]:
        person.goto(address)
        person.wait_for_load_state("networkidle")
        assert_fits(person)


def test_open_pages_fit_the_window(visitor, live_site):
    create_account(visitor, live_site.url, "early@example.org", "correct horse battery")
    visitor.context.clear_cookies()
    visitor.set_viewport_size({"width": 360, "height": 800})
    for address in OPEN:
        visitor.goto(address)
        visitor.wait_for_load_state("networkidle")
        assert_fits(visitor)


def test_signing_out_and_in_again(visitor, live_site):
    create_account(visitor, live_site.url, "grace@example.org", "correct horse battery")
    visitor.get_by_label("Account menu").click()
    visitor.get_by_role("button", name="Sign out").click()
    expect(visitor.get_by_role("heading", level=1)).to_contain_text("expressions")
    visitor.get_by_role("link", name="Sign in").first.click()
    visitor.get_by_label("Email").fill("grace@example.org")
    visitor.get_by_label("Password").fill("correct horse battery")
    visitor.locator("main form button[type=submit]").click()
    expect(visitor.locator("#drop")).to_be_visible()


def test_the_theme_follows_the_system_until_it_is_chosen(person):
    root = person.locator("html")
    person.emulate_media(color_scheme="dark")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    person.get_by_role("button", name="Light").click()
    expect(root).to_have_attribute("data-bs-theme", "light")
    person.goto("/analyses/")
    expect(root).to_have_attribute("data-bs-theme", "light")
    expect(person.get_by_role("button", name="Light")).to_have_attribute("aria-pressed", "true")
    person.get_by_role("button", name="Auto").click()
    expect(root).to_have_attribute("data-bs-theme", "dark")


def test_the_first_stop_of_the_tab_key_skips_to_the_content(person):
    person.goto("/analyses/")
    person.keyboard.press("Tab")
    expect(person.get_by_role("link", name="Skip to content")).to_be_focused()
    person.keyboard.press("Enter")
    expect(person.locator("main")).to_be_focused()


def test_the_history_shows_a_new_photo_without_reloading(person, photos):
    other = person.context.new_page()
    other.goto("/analyses/")
    expect(other.get_by_role("heading", name="Nothing here yet")).to_be_visible()
    person.locator("#files").set_input_files(photos["portrait"])
    expect(other.locator("#history .analysis")).to_have_attribute("data-status", "succeeded")
    expect(other.locator("#history .analysis")).to_have_attribute("data-emotion", re.compile(r"\w"))


def test_scripts_from_elsewhere_are_refused(person):
    person.evaluate(
        """() => {
          const script = document.createElement("script");
          script.text = "window.hacked = 1";
          document.body.append(script);
        }"""
    )
    assert person.evaluate("window.hacked") is None
    assert any("Content Security Policy" in line for line in person.complaints)
    person.complaints.clear()


def test_a_lost_connection_is_told_and_what_was_missed_is_read_again(person, photos):
    attempts = []

    def refuse_twice(socket):
        attempts.append(socket)
        if len(attempts) > 2:
            socket.connect_to_server()
        else:
            socket.close()

    person.route_web_socket(re.compile("/ws/analyses/$"), refuse_twice)
    person.reload()
    banner = person.get_by_text("Connection lost")
    expect(banner).to_be_visible()
    person.locator("#files").set_input_files(photos["portrait"])
    expect(person.locator("#cards .analysis")).to_have_attribute("data-status", "succeeded")
    expect(banner).to_be_hidden()
