"""Exports in the browser: from a button in the history to a file on disk."""

import csv
import json
import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def history(person, photos):
    """The history of a person with three photos, two of them with faces."""
    person.locator("#files").set_input_files(
        [photos[name] for name in ("portrait", "crowd", "no_face")]
    )
    expect(person.locator("#batch-count")).to_have_text("3 of 3 done")
    person.goto("/analyses/")
    return person


def download(page, row):
    with page.expect_download() as begun:
        row.get_by_role("link", name="Download").click()
    return begun.value


def test_what_the_filters_show_becomes_a_file(history):
    history.goto("/exports/")
    expect(history.get_by_role("heading", name="No exports yet")).to_be_visible()
    history.goto("/analyses/?text=portrait")
    history.get_by_role("button", name="Export").click()
    expect(history.locator("#export-text")).to_contain_text(
        "the one entry that matches the filters"
    )
    history.locator("#export-dialog").get_by_role("button", name="Export").click()

    expect(history).to_have_url(re.compile("/exports/$"))
    row = history.locator(".export")
    expect(row).to_contain_text("“portrait”")
    expect(row).to_contain_text("1 row")
    file = download(history, row)
    assert re.fullmatch(r"mien-faces-[\d-]+\.csv", file.suggested_filename)
    (line,) = csv.DictReader(file.path().open(newline=""))
    assert line["title"] == "portrait.jpg"

    history.get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)
    expect(history.get_by_role("heading", name="No exports yet")).to_be_visible()


def test_the_selected_entries_become_a_file(history):
    for name in ("portrait", "no_face"):
        history.get_by_label(f"Select {name}.jpg").check()
    history.locator("#bulk").get_by_role("button", name="Export").click()
    expect(history.locator("#export-text")).to_contain_text("the 2 selected entries")
    history.get_by_text("JSON Lines").click()
    history.locator("#export-dialog").get_by_role("button", name="Export").click()

    row = history.locator(".export")
    expect(row).to_contain_text("2 selected entries")
    expect(row).to_contain_text("JSON Lines")
    lines = download(history, row).path().read_text().splitlines()
    assert [json.loads(line)["title"] for line in lines] == ["portrait.jpg"]


CANCEL = """
from recognition.models import Export
for export in Export.objects.filter(pk="{pk}"):
    Export.objects.filter(pk=export.pk).update(status="canceled", file="", size=0)
"""


def test_one_that_was_canceled_is_tried_again(history, live_site):
    history.get_by_role("button", name="Export").click()
    history.locator("#export-dialog").get_by_role("button", name="Export").click()
    row = history.locator(".export")
    expect(row.get_by_role("link", name="Download")).to_be_visible()
    live_site.manage("shell", "-v0", "-c", CANCEL.format(pk=row.get_attribute("data-id")))
    history.reload()
    expect(row).to_contain_text("Canceled")
    row.get_by_role("button", name="Retry").press("Enter")
    expect(row.get_by_role("link", name="Download")).to_be_focused()
    expect(row.get_by_role("button", name="Retry")).to_be_hidden()


def test_the_page_follows_an_export_that_is_started_and_deleted_elsewhere(history):
    history.goto("/exports/")
    history.wait_for_load_state("networkidle")
    call = """([method, path, body]) => fetch(path, {method, body, headers: {
      "Content-Type": "application/json",
      "X-CSRFToken": document.cookie.match(/csrftoken=([^;]*)/)[1]}})
      .then((answer) => answer.status === 204 ? {} : answer.json())"""
    state = history.evaluate(call, ["POST", "/api/v1/exports/", '{"format": "parquet"}'])
    row = history.locator(".export")
    expect(row).to_contain_text("The whole history")
    expect(row.get_by_role("link", name="Download")).to_be_visible()
    assert download(history, row).path().read_bytes()[:4] == b"PAR1"
    history.evaluate(call, ["DELETE", f"/api/v1/exports/{state['id']}/", None])
    expect(row).to_have_count(0)
