"""Pages in states that need something to happen first, checked by axe in both themes."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_live import Server, face, start, state
from tests.processes import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def faults(page: Page) -> list[str]:
    """What axe finds on the page as it is now, one line for each element."""
    page.evaluate("() => Promise.all(document.getAnimations().map((one) => one.finished))")
    page.evaluate(AXE.read_text())
    found = page.evaluate("(tags) => axe.run({runOnly: {type: 'tag', values: tags}})", RULES)
    return [
        f"{fault['id']}: {node['html'][:150]} {node['failureSummary']}"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("place", ["On this server", "On this device"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_live_page_before_it_runs_and_while_it_runs(live, theme, place):
    live.emulate_media(color_scheme=theme, reduced_motion="reduce")
    live.get_by_role("radio", name=place).check()
    live.get_by_text("Settings", exact=True).click()
    assert faults(live) == []

    start(live)
    state(live, "live")
    expect(live.locator("#reading-emotion")).to_have_text("Happy")
    assert faults(live) == []

    live.get_by_role("button", name="Pause").click()
    assert faults(live) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_faces_that_have_left(live, theme):
    live.emulate_media(color_scheme=theme, reduced_motion="reduce")
    server = Server(live)
    server.faces = [face(1, 100), face(2, 300)]
    start(live)
    expect(live.locator("#live-faces button:not(.left)")).to_have_count(2)
    server.faces = [face(2, 300)]
    expect(live.locator("#live-faces button.left")).to_have_count(1)
    live.get_by_role("button", name="Pause").click()  # otherwise it is gone before axe is done
    assert faults(live) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_device_that_cannot_read_frames(live, theme):
    live.emulate_media(color_scheme=theme, reduced_motion="reduce")
    live.add_init_script("delete window.OffscreenCanvas")
    live.reload()
    live.get_by_role("radio", name="On this device").check()
    start(live)
    state(live, "device-failed")
    assert faults(live) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_keys_that_are_valid_and_revoked(person, theme):
    person.emulate_media(color_scheme=theme, reduced_motion="reduce")
    person.goto("/account/keys/")
    if person.get_by_label("Password").count():
        person.get_by_label("Password").fill("correct horse battery")
        person.get_by_role("button", name="Confirm").click()
    for name in ("first", "second"):
        person.get_by_label("Name").fill(name)
        person.get_by_role("button", name="Create key").click()
        expect(person.locator("#keys li b", has_text=name)).to_be_visible()
    person.get_by_role("button", name="Revoke first").click()
    person.locator("#confirm").get_by_role("button", name="Revoke").click()
    expect(person.locator("#keys li.over")).to_contain_text("first")
    expect(person.locator("#announcer")).to_contain_text("was revoked")
    assert faults(person) == []
