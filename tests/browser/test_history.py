"""The history and the dashboard: filters, bulk actions, tags, deletions elsewhere."""

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def history(person, photos):
    """The history of a person with two photos: portrait.jpg and no_face.jpg."""
    person.locator("#files").set_input_files([photos["portrait"], photos["no_face"]])
    expect(person.locator("#batch-count")).to_have_text("2 of 2 done")
    person.goto("/analyses/")
    return person


def card(page, name):
    return page.locator("#history .analysis", has_text=name)


def test_filters_stand_in_the_address(history):
    history.get_by_label("Title, notes or tags").fill("portrait")
    history.get_by_role("button", name="Search").click()
    expect(history).to_have_url(re.compile(r"/analyses/\?text=portrait$"))
    expect(history.locator("#history .analysis")).to_have_count(1)
    history.get_by_text("More filters").click()
    history.get_by_label("State").select_option("failed")
    expect(history.get_by_role("heading", name="No matches")).to_be_visible()
    history.get_by_role("link", name="Show everything").first.click()
    expect(history.locator("#history .analysis")).to_have_count(2)


def test_selected_entries_are_tagged_and_found_by_their_tag(history):
    card(history, "portrait").get_by_label("Select portrait.jpg").check()
    history.get_by_role("button", name="Select page").click()
    expect(history.locator("#bulk-count")).to_have_text("2")
    history.get_by_role("button", name="Tag").click()
    history.get_by_label("Tag", exact=True).fill("sea & sun")
    history.keyboard.press("Enter")
    expect(history.locator("#announcer")).to_have_text("2 entries tagged.")
    tag = card(history, "no_face").get_by_role("link", name="sea & sun")
    tag.click()
    expect(history.locator("#history .analysis")).to_have_count(2)
    expect(history.get_by_label("Title, notes or tags")).to_have_value("sea & sun")


def test_selected_photos_are_read_again(history):
    card(history, "portrait").get_by_label("Select portrait.jpg").check()
    history.get_by_role("button", name="Analyze again").click()
    history.locator("#rerun-dialog").get_by_role("button", name="Analyze again").click()
    expect(card(history, "portrait")).to_have_count(2)
    expect(card(history, "portrait").first).to_have_attribute("data-status", "succeeded")


def test_selected_entries_are_deleted_also_by_leaving_the_page(history):
    card(history, "portrait").get_by_label("Select portrait.jpg").check()
    history.locator("#bulk").get_by_role("button", name="Delete").click()
    expect(card(history, "portrait")).to_be_hidden()
    history.get_by_role("button", name="Undo").click()
    expect(card(history, "portrait")).to_be_visible()
    card(history, "portrait").get_by_label("Select portrait.jpg").check()
    history.locator("#bulk").get_by_role("button", name="Delete").click()
    history.goto("/live/")
    history.goto("/analyses/")
    expect(card(history, "portrait")).to_have_count(0)


@pytest.mark.parametrize("address", ["/analyses/", "/analyses/?text=portrait", "/"])
def test_what_was_deleted_while_the_connection_was_away_disappears(history, address):
    doomed = card(history, "portrait").get_attribute("data-id")
    sockets = []
    # A silent socket.
    history.route_web_socket(re.compile("/ws/analyses/$"), lambda socket: sockets.append(socket))
    history.goto(address)
    history.wait_for_load_state("networkidle")
    shown = history.locator(f'.analysis[data-id="{doomed}"]')
    history.evaluate(
        """(id) => fetch(`/api/v1/analyses/${id}/`, {method: "DELETE", headers: {
          "X-CSRFToken": document.cookie.match(/csrftoken=([^;]*)/)[1]}})""",
        doomed,
    )
    expect(shown).to_have_count(1)
    sockets[-1].close()
    expect(shown).to_have_count(0)


FILL = """
from django.contrib.auth import get_user_model
from recognition.models import Analysis
owner = get_user_model().objects.order_by("pk").last()
Analysis.objects.bulk_create(
    Analysis(owner=owner, title=f"{at}.jpg", status="failed", error_message="It is damaged.")
    for at in range(60)
)
"""


def test_when_a_whole_page_is_deleted_the_next_one_takes_its_place(person, live_site):
    live_site.manage("shell", "-v0", "-c", FILL)
    person.goto("/analyses/")
    first = person.locator("#history .analysis").first.get_attribute("data-id")
    person.locator("[data-select]").first.check()
    person.get_by_role("button", name="Select page").click()
    expect(person.locator("#bulk-count")).to_have_text("24")
    person.locator("#bulk").get_by_role("button", name="Delete").click()
    expect(person.locator("#count")).to_have_text("36 entries")
    expect(person.locator("#history .analysis:visible")).to_have_count(24)
    expect(person.locator(f'[data-id="{first}"]')).to_have_count(0)
    expect(person.locator("#empty")).to_be_hidden()


def test_the_dashboard_follows_an_upload(person, photos):
    expect(person.locator("#dashboard")).to_be_hidden()
    person.locator("#files").set_input_files(photos["portrait"])
    rest = person.locator("#dashboard-rest")
    expect(rest).to_contain_text("1 entry")
    expect(rest).to_contain_text("1 face")
    expect(rest).to_contain_text(re.compile(r"1 photo in the last hour.*median \d+\.\d s"))
    expect(person.locator("#dashboard-chart")).to_have_attribute(
        "aria-label", re.compile(r"Happy 1")
    )
    person.locator("#files").set_input_files(photos["truncated"])
    expect(rest.get_by_role("heading", name="Failed in the last 7 days")).to_be_visible()
