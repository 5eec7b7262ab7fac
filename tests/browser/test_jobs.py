"""The jobs page: pausing a queue, retrying and canceling jobs."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import create_account
from tests.browser.conftest import open_page
from tests.conftest import LiveSite

BREAK_OFF = """
from recognition.models import Analysis
Analysis.objects.filter(status="queued").update(
    status="failed", error_code="gave_up", error_message="It broke off.",
    traceback="OSError: the disk is full", attempts=3)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[LiveSite]:
    site = LiveSite(tmp_path_factory.mktemp("jobs-site"))
    yield site
    site.stop()


@pytest.fixture(scope="module")
def cookies(browser, site) -> list[dict]:
    """The administrator's, who is the site's first visitor."""
    page = browser.new_page()
    create_account(page, site.url, "root@example.org", "correct horse battery")
    found = page.context.cookies()
    page.close()
    return found


@pytest.fixture
def administrator(browser, site, cookies) -> Iterator[Page]:
    pages = open_page(browser, site)
    page = next(pages)
    page.context.add_cookies(cookies)
    page.goto("/")
    yield page
    yield from pages


def queue(page: Page, name: str):
    return page.locator("#queues .job-row", has=page.get_by_role("heading", name=name))


def test_a_paused_queue_holds_a_photo_until_it_is_resumed(administrator, photos, site):
    page = administrator
    page.get_by_label("Account menu").click()
    page.get_by_role("link", name="Jobs").click()
    expect(page.locator("#workers .job-row")).to_contain_text(
        "analyses, exports, frames, maintenance"
    )
    queue(page, "analyses").get_by_role("button", name="Pause").click()
    expect(queue(page, "analyses")).to_contain_text("by root@example.org")
    expect(queue(page, "frames").get_by_role("button")).to_have_count(0)

    other = page.context.new_page()
    other.goto("/")
    other.locator("#files").set_input_files(photos["portrait"])
    # The page reloads by itself.
    expect(page.locator("#unfinished .job-row")).to_contain_text("queued for")
    expect(queue(page, "analyses")).to_contain_text("0 messages in Redis")  # the worker has none
    expect(page.locator("#unfinished")).not_to_contain_text(photos["portrait"].name)

    # Make it fail while it waits, as if interrupted.
    site.manage("shell", "-v0", "-c", BREAK_OFF)
    failure = page.locator("#failures .job-row")
    expect(failure).to_contain_text("It broke off.")
    failure.get_by_text("Traceback", exact=True).click()
    expect(failure.locator("pre")).to_have_text("OSError: the disk is full")
    page.wait_for_timeout(4000)  # the page reloads meanwhile, and the traceback stays open
    expect(failure.locator("pre")).to_be_visible()
    failure.get_by_role("button", name="Retry").click()
    expect(page.locator("#failures .job-row")).to_have_count(0)
    expect(page.locator("#unfinished .job-row")).to_have_count(1)

    queue(page, "analyses").get_by_role("button", name="Resume").click()
    expect(page.locator("#no-unfinished")).to_be_visible()
    expect(other.locator("#cards .analysis[data-status=succeeded]")).to_have_count(1)
    other.close()


def test_a_job_that_waits_is_canceled_after_a_question(administrator, photos):
    page = administrator
    page.goto("/jobs/")
    queue(page, "analyses").get_by_role("button", name="Pause").click()
    expect(queue(page, "analyses").locator(".tag")).to_have_text("paused")
    other = page.context.new_page()
    other.goto("/")
    other.locator("#files").set_input_files(photos["portrait"])
    page.locator("#unfinished").get_by_role("button", name="Cancel").click()
    page.locator("#ask-yes").click()

    expect(page.locator("#canceled .job-row .tag")).to_have_text("canceled")
    expect(page.locator("#no-unfinished")).to_be_visible()
    queue(page, "analyses").get_by_role("button", name="Resume").click()
    page.locator("#canceled").get_by_role("button", name="Retry").click()
    expect(page.locator("#canceled-section")).to_be_hidden()
    expect(other.locator("#cards .analysis[data-status=succeeded]")).to_have_count(1)


def test_a_lost_queue_is_said_and_the_rest_stays(administrator, site):
    page = administrator
    page.goto("/jobs/")
    expect(page.locator("#workers .job-row")).to_have_count(1)
    site.redis.stop()
    try:
        expect(page.locator("#unreachable")).to_be_visible()
        expect(queue(page, "analyses")).to_contain_text("0 waiting")
        expect(page.locator("#no-workers")).to_contain_text("can't be reached")
    finally:
        site.redis.start()
    expect(page.locator("#unreachable")).to_be_hidden()
