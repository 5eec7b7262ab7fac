"""The page of a training that goes on: pushed to several viewers, canceled, resumed, queued.

The trainings themselves are a stand-in, which begins at once.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import create_account
from tests.browser.conftest import open_page
from tests.browser.test_training import TrainingSite
from tests.training.drawing import write_csv


@pytest.fixture
def site(tmp_path_factory) -> Iterator[TrainingSite]:
    folder = tmp_path_factory.mktemp("stand-in-site")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MIEN_TEST_TRAINING", str(folder / "training"))
        environment.setenv("MIEN_TEST_EPOCH", "0.5")
        site = TrainingSite(folder)
    (folder / "datasets").mkdir(exist_ok=True)
    write_csv(folder / "datasets" / "faces.csv", count=210)
    yield site
    site.stop()


@pytest.fixture
def administrator(browser, site) -> Iterator[Page]:
    pages = open_page(browser, site)
    page = next(pages)
    create_account(page, site.url, "root@example.org", "correct horse battery")
    yield page
    yield from pages


def start(page: Page) -> None:
    page.goto("/training/")
    page.get_by_text("Options", exact=True).click()
    for label, value in {"Epochs": 500, "Batch size": 16}.items():
        page.get_by_label(label, exact=True).fill(str(value))
    page.get_by_label("Share held out for validation").fill("0.1")
    page.get_by_role("button", name="Start training").click()
    page.locator("#run").wait_for()


def wait_for_epoch(page: Page, number: int) -> None:
    page.locator("#epochs tbody tr").nth(number - 1).wait_for(state="attached")


def epochs(page: Page) -> list[int]:
    return [int(text) for text in page.locator("#epochs tbody th").all_text_contents()]


@pytest.mark.slow
def test_a_training_is_watched_canceled_and_resumed(administrator):
    page = administrator
    page.goto("/training/datasets/")
    page.get_by_role("button", name="Use this file").click()
    expect(page.locator(".dataset .tag")).to_have_text("done")

    start(page)
    viewer = page.context.new_page()
    viewer.goto(page.url)
    for each in (page, viewer):
        wait_for_epoch(each, 3)
    expect(page.locator("#state")).to_contain_text("of 500")

    waiting = page.context.new_page()
    start(waiting)
    expect(waiting.locator("#state")).to_have_text("Next in the queue")
    waiting.locator("[data-do=cancel]").click()
    waiting.locator("#ask-yes").click()
    expect(waiting.locator("#tag")).to_have_text("canceled")

    page.locator("[data-do=cancel]").click()
    page.locator("#ask-yes").click()
    for each in (page, viewer):
        expect(each.locator("#tag")).to_have_text("canceled")
    before = len(epochs(page))

    viewer.locator("[data-do=resume]").click()
    for each in (page, viewer):
        wait_for_epoch(each, before + 2)
    shown = epochs(page)
    assert shown == list(range(1, len(shown) + 1))
