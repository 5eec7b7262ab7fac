"""Training in the browser: from a file to the active model, without a shell."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import create_account
from tests.browser.conftest import open_page
from tests.conftest import LiveSite
from tests.training.drawing import write_csv

EPOCHS = 3
PATIENCE = 240_000  # milliseconds: TensorFlow starts twice, maybe on a slow machine


class TrainingSite(LiveSite):
    queues = f"{LiveSite.queues},training"


@pytest.fixture(scope="module")
def training_site(tmp_path_factory) -> Iterator[TrainingSite]:
    site = TrainingSite(tmp_path_factory.mktemp("training-site"))
    yield site
    site.stop()


@pytest.fixture(scope="module")
def cookies(browser, training_site) -> Iterator[list[dict]]:
    """The administrator's, who is the site's first visitor."""
    page = browser.new_page()
    create_account(page, training_site.url, "root@example.org", "correct horse battery")
    yield page.context.cookies()
    page.close()


@pytest.fixture
def administrator(browser, training_site, cookies) -> Iterator[Page]:
    pages = open_page(browser, training_site)
    page = next(pages)
    page.context.add_cookies(cookies)
    page.goto("/")
    yield page
    # The refusal is a 409, which the console shows.
    page.complaints = [line for line in page.complaints if "409" not in line]
    yield from pages


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_from_a_file_to_a_model_in_use(administrator, tmp_path, photos):
    page = administrator
    page.get_by_label("Account menu").click()
    page.get_by_role("link", name="Training and models").click()
    page.get_by_role("link", name="Add a data set").click()
    page.locator("#data").set_input_files(write_csv(tmp_path / "drawn.csv.gz", count=420))
    page.get_by_role("button", name="Upload").click()
    dataset = page.locator(".dataset")
    expect(dataset.locator(".tag")).to_have_text("done")
    expect(dataset).to_contain_text("420 faces")
    dataset.get_by_role("link", name="Train").click()

    page.get_by_text("Options", exact=True).click()
    for label, value in {"Epochs": EPOCHS, "Batch size": 16}.items():
        page.get_by_label(label, exact=True).fill(str(value))
    page.get_by_label("Validation share").fill("0.1")
    page.get_by_label("Architecture").select_option("mini_xception")
    expect(page.locator("#estimate")).to_contain_text("Takes about", timeout=PATIENCE)
    page.get_by_role("button", name="Start training").click()

    page.wait_for_url(re.compile("/training/runs/"))
    expect(page.locator("#tag")).to_have_text("done", timeout=PATIENCE)
    expect(page.locator("#epochs tbody tr")).to_have_count(EPOCHS)
    expect(page.locator(".evaluation").first).to_contain_text("Accuracy")
    expect(page.locator(".confusion tbody tr").first).to_contain_text("Angry")
    page.locator("#version").click()

    page.get_by_role("button", name="Promote").click()
    page.locator("#ask-yes").click()
    expect(page.locator("#ask-title")).to_contain_text("may be worse")
    page.locator("#ask-yes").click()
    expect(page.locator("h1")).to_contain_text("active")

    page.goto("/models/compare/?versions=1,2")
    for figure in ("Accuracy, validation", "Accuracy, training", "Loss, validation"):
        expect(page.locator("figcaption", has_text=figure)).to_be_visible()
    page.locator("#photo").set_input_files([photos["portrait"], photos["no_face"]])
    page.get_by_role("button", name="Analyze").click()
    readings = page.locator(".photo-reading")
    expect(readings.nth(0).locator(".photo-face thead")).to_contain_text("Version 2")
    expect(readings.nth(1)).to_contain_text("No face was found")

    page.get_by_role("link", name="Models").first.click()
    expect(page.locator(".trail")).to_contain_text("despite the warning")
    page.get_by_role("button", name="Roll back").click()
    page.locator("#ask-yes").click()
    expect(page.locator(".message")).to_contain_text("Version 1 is active again")


def test_what_is_wrong_with_a_form_is_said_beside_it(administrator, training_site):
    page = administrator
    page.goto("/training/datasets/")
    page.locator("#data").set_input_files(
        {"name": "faces.txt", "mimeType": "text/plain", "buffer": b"none"}
    )
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#add-problem")).to_contain_text("has the wrong type")
    page.complaints = [line for line in page.complaints if "400" not in line]
