"""The page of a running training: live for several viewers, canceled, resumed, queued.

The training process is a stand-in that starts at once.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

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


def add_data_set(page: Page) -> None:
    page.goto("/training/datasets/")
    page.locator("#choose").get_by_label("Name").fill("Drawn faces")
    page.get_by_role("button", name="Use this file").click()
    expect(page.locator(".dataset h2")).to_have_text("Drawn faces")
    expect(page.locator(".dataset .tag")).to_have_text("done")


def start(page: Page) -> None:
    page.goto("/training/")
    page.get_by_text("Options", exact=True).click()
    for label, value in {"Epochs": 500, "Batch size": 16}.items():
        page.get_by_label(label, exact=True).fill(str(value))
    page.get_by_label("Validation share").fill("0.1")
    page.get_by_role("button", name="Start training").click()
    page.locator("#run").wait_for()


def press(page: Page, button: str) -> None:
    """Press a training's button and confirm."""
    page.locator(f"[data-do={button}]").click()
    page.locator("#ask-yes").click()


def open_muted(page: Page, address: str) -> tuple[Page, list[WebSocketRoute]]:
    """Another page of the same person, whose sockets stay silent."""
    muted, sockets = page.context.new_page(), []
    muted.route_web_socket(re.compile("/ws/training/$"), lambda socket: sockets.append(socket))
    muted.goto(address)
    muted.wait_for_load_state("networkidle")
    return muted, sockets


def wait_for_epoch(page: Page, number: int) -> None:
    page.locator("#epochs tbody tr").nth(number - 1).wait_for(state="attached")


def epochs(page: Page) -> list[int]:
    return [int(text) for text in page.locator("#epochs tbody th").all_text_contents()]


@pytest.mark.slow
def test_a_training_is_watched_canceled_and_resumed(administrator):
    page = administrator
    add_data_set(page)
    start(page)
    viewer = page.context.new_page()
    viewer.goto(page.url)
    for each in (page, viewer):
        wait_for_epoch(each, 3)
    expect(page.locator("#state")).to_contain_text("of 500")

    waiting = page.context.new_page()
    start(waiting)
    expect(waiting.locator("#state")).to_have_text("Next in the queue")
    press(waiting, "cancel")
    expect(waiting.locator("#tag")).to_have_text("canceled")

    press(page, "cancel")
    for each in (page, viewer):
        expect(each.locator("#tag")).to_have_text("canceled")
    before = len(epochs(page))

    viewer.locator("[data-do=resume]").click()
    for each in (page, viewer):
        wait_for_epoch(each, before + 2)
    shown = epochs(page)
    assert shown == list(range(1, len(shown) + 1))


@pytest.mark.slow
def test_what_happened_while_the_connection_was_away_is_shown_then(administrator):
    page = administrator
    add_data_set(page)
    start(page)
    press(page, "cancel")
    expect(page.locator("#tag")).to_have_text("canceled")
    run, run_sockets = open_muted(page, page.url)
    trainings, list_sockets = open_muted(page, "/training/")
    tags = [run.locator("#tag"), trainings.locator(".run [data-tag]")]

    page.locator("[data-do=resume]").click()
    wait_for_epoch(page, 1)
    for tag in tags:
        expect(tag).to_have_text("canceled")
    for sockets in (run_sockets, list_sockets):
        sockets[-1].close()
    for tag in tags:
        expect(tag).to_have_text("running")


@pytest.mark.slow
def test_a_training_that_is_deleted_elsewhere_disappears(administrator):
    page = administrator
    add_data_set(page)
    start(page)
    press(page, "cancel")
    expect(page.locator("#tag")).to_have_text("canceled")
    viewer, trainings = page.context.new_page(), page.context.new_page()
    viewer.goto(page.url)
    trainings.goto("/training/")
    away, sockets = open_muted(page, "/training/")
    for each in (trainings, away):
        expect(each.locator(".run")).to_have_count(1)

    press(page, "delete")
    for each in (page, viewer):
        expect(each).to_have_url(re.compile("/training/$"))
    expect(trainings.locator(".run")).to_have_count(0)
    expect(trainings.locator("#empty")).to_be_visible()
    expect(away.locator(".run")).to_have_count(1)
    sockets[-1].close()
    expect(away.locator(".run")).to_have_count(0)
