"""Fixtures of the browser tests: a real Chromium on a real site."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.browser.camera import launch_with_camera, write_clip
from tests.browser.chromium import create_account, find_chromium, launch
from tests.browser.photos import write_photos

numbers = itertools.count(1)


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


# For this package only: Playwright's event loop would interfere with other tests.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    if not find_chromium():
        reason = "no chromium is installed"
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(f"{reason}, and CI asks for it")
        pytest.skip(reason)
    with sync_playwright() as instance:
        yield instance


@pytest.fixture(scope="package")
def browser(playwright) -> Iterator[Browser]:
    instance = launch(playwright)
    yield instance
    instance.close()


@pytest.fixture(scope="package")
def browser_with_camera(playwright, tmp_path_factory) -> Iterator[Browser]:
    """A browser whose camera shows one face that moves from side to side."""
    clip = write_clip(tmp_path_factory.mktemp("camera") / "one.mjpeg")
    instance = launch_with_camera(playwright, clip)
    yield instance
    instance.close()


@pytest.fixture(scope="session")
def photos(tmp_path_factory) -> dict[str, Path]:
    """Photo files: portrait, pair, crowd, hundred, no_face, truncated, broken."""
    return write_photos(tmp_path_factory.mktemp("photos"))


@pytest.fixture
def visitor(browser, live_site) -> Iterator[Page]:
    """A page of a signed-out visitor; the test fails if its console shows an error."""
    yield from open_page(browser, live_site)


def open_page(browser: Browser, live_site) -> Iterator[Page]:
    live_site.redis.clear_cache()  # many sign-ups come from this address
    context = browser.new_context(base_url=live_site.url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda line: line.type == "error" and page.complaints.append(line.text))
    yield page
    context.close()
    assert page.complaints == []


@pytest.fixture
def person(visitor, live_site) -> Page:
    """A page of a newly signed-up person."""
    name = f"person-{next(numbers)}@example.org"
    create_account(visitor, live_site.url, name, "correct horse battery")
    return visitor


@pytest.fixture
def open_result(person, photos):
    """Upload a photo and go to its page at once, without waiting for the result."""

    def open_it(name):
        person.locator("#files").set_input_files(photos[name])
        link = person.locator("#cards .analysis[data-id] a[href]")
        link.wait_for()
        person.goto(link.get_attribute("href"))

    return open_it


@pytest.fixture
def live(browser_with_camera, live_site) -> Iterator[Page]:
    """The Live page of a newly signed-up person, in a browser with a camera."""
    pages = open_page(browser_with_camera, live_site)
    page = next(pages)
    page.context.grant_permissions(["camera"])
    create_account(
        page, live_site.url, f"person-{next(numbers)}@example.org", "correct horse battery"
    )
    page.goto("/live/")
    page.wait_for_load_state("load")
    yield page
    yield from pages
