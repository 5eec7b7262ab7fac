"""Model versions in the browser: imports, and live updates while others change them.

The import process is a stand-in that doesn't need TensorFlow.
"""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_training_run import administrator, site
from tests.training.weights import npz, pickled

__all__ = ["administrator", "site"]  # the fixtures


def choose(page: Page, name: str, content: bytes) -> None:
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.locator("#file").set_input_files(file)
    page.get_by_label("Network").select_option("simple_cnn")
    page.get_by_role("button", name="Import").click()


@pytest.mark.slow
def test_weights_are_imported_and_promoted_before_the_eyes_of_others(administrator):
    page = administrator
    page.goto("/models/")
    viewer, detail = page.context.new_page(), page.context.new_page()
    viewer.goto("/models/")
    viewer.get_by_label("Compare version 1").check()
    detail.goto("/models/1/")

    choose(page, "theirs.npz", pickled())
    expect(page.locator(".message")).to_contain_text("n't an npz file of plain arrays")
    choose(page, "theirs.npz", npz(np.ones(3)))
    expect(page.locator("#imports")).to_contain_text("theirs.npz, simple_cnn")
    for each in (page, viewer):
        expect(each.locator(".import [data-state]")).to_have_text("Registered as version 2.")
        expect(each.locator(".version")).to_have_count(2)
    expect(viewer.get_by_label("Compare version 1")).to_be_checked()

    page.get_by_role("button", name="Promote").click()
    page.locator("#ask-yes").click()
    expect(page.locator("#ask-title")).to_contain_text("may be worse")
    page.locator("#ask-yes").click()
    for each in (page, viewer):
        newest = each.locator(".version").first
        expect(newest.locator(".tag")).to_have_text("active")
        expect(each.locator("#trail")).to_contain_text("promoted version 2")
    expect(detail.locator("h1 .tag")).to_have_text("available")
    expect(detail.get_by_role("button", name="Promote")).to_be_visible()

    page.locator(".import").get_by_role("button", name="Dismiss").click()
    for each in (page, viewer):
        expect(each.locator(".import")).to_have_count(0)
    # The refusal is a 409, which the console shows.
    page.complaints = [line for line in page.complaints if "409" not in line]


@pytest.mark.slow
def test_a_version_that_came_before_the_page_listens_is_shown(administrator):
    page = administrator
    page.goto("/models/")
    late, held = page.context.new_page(), []
    late.route("**/socket*.js", lambda route: held.append(route))
    late.goto("/models/", wait_until="commit")
    expect(late.locator(".version")).to_have_count(1)
    choose(page, "theirs.npz", npz(np.ones(3)))
    expect(page.locator(".version")).to_have_count(2)
    expect(late.locator(".version")).to_have_count(1)
    held[0].continue_()
    expect(late.locator(".version")).to_have_count(2)
