"""Consent, what is kept of a picture, one's own data and activity, in a browser."""

import zipfile

import pytest
from playwright.sync_api import Page, expect

PUBLISH = """
from django.contrib.auth.models import User
from recognition import consent
consent.publish("", "Read this first.", User.objects.filter(is_staff=True).first())
"""
RETIRE = """
from recognition import consent
from recognition.models import ConsentText
consent.retire(ConsentText.objects.all())
"""


@pytest.fixture
def text(live_site):
    """The site asks for consent while the test runs."""
    live_site.manage("shell", "-c", PUBLISH)
    yield
    live_site.manage("shell", "-c", RETIRE)


def upload(page: Page, path, keep: str) -> None:
    """Upload one photo and open its result."""
    page.goto("/")
    page.locator("summary", has_text="Options").click()
    page.get_by_label("Keep", exact=True).select_option(keep)
    page.locator("#files").set_input_files([path])
    card = page.locator("#cards .analysis[data-status=succeeded]")
    card.wait_for()
    card.locator("a").first.click()
    expect(page.locator("#overlay .face")).to_have_count(1)


def test_somebody_agrees_before_anything_else(person, text):
    person.goto("/live/")
    expect(person.get_by_role("heading", name="What you agree to")).to_be_visible()
    expect(person.get_by_text("Read this first.")).to_be_visible()
    person.get_by_role("button", name="I agree to this site").click()
    person.wait_for_url("**/live/")
    person.goto("/account/consent/")
    person.get_by_role("button", name="Withdraw consent to this site").click()
    expect(person.get_by_role("button", name="I agree to this site")).to_be_visible()
    person.goto("/")
    person.wait_for_url(lambda url: "/account/consent/?next=" in url)


def test_a_photo_of_which_only_numbers_were_kept_shows_its_boxes(person, photos):
    upload(person, photos["portrait"], "numbers")
    expect(person.get_by_text("The photo wasn't kept.")).to_be_visible()
    expect(person.locator("#photo")).to_be_hidden()
    stage = person.locator("#stage").bounding_box()
    assert stage["width"] == pytest.approx(stage["height"], rel=0.05)  # the photo is square
    expect(person.locator("#reading-emotion")).to_have_text("Happy")
    expect(person.get_by_role("button", name="Blur the faces")).to_be_hidden()


def test_faces_are_blurred_and_then_the_photo_is_deleted(person, photos):
    upload(person, photos["portrait"], "picture")
    before = person.locator("#photo").get_attribute("src")
    person.get_by_role("button", name="Blur the faces").click()
    person.get_by_role("button", name="Blur", exact=True).click()
    expect(person.locator("#photo")).to_have_attribute("src", f"{before}?blurred")
    expect(person.get_by_role("button", name="Blur the faces")).to_be_hidden()
    person.get_by_role("button", name="Delete the photo, keep the numbers").click()
    person.get_by_role("button", name="Delete", exact=True).last.click()
    expect(person.get_by_text("The photo wasn't kept.")).to_be_visible()
    person.reload()
    expect(person.get_by_text("The photo wasn't kept.")).to_be_visible()
    expect(person.locator("#reading-emotion")).to_have_text("Happy")


def test_somebody_takes_everything_and_sees_that_they_did(person, photos, tmp_path):
    upload(person, photos["portrait"], "picture")
    person.goto("/account/data/")
    person.get_by_role("button", name="Download my data").click()
    person.wait_for_url("**/exports/")
    with person.expect_download() as download:
        person.get_by_role("link", name="Download").click()
    path = tmp_path / "all.zip"
    download.value.save_as(path)
    with zipfile.ZipFile(path) as archive:
        assert "entries.jsonl" in archive.namelist()
        assert any(name.startswith("photos/") for name in archive.namelist())
    person.goto("/account/activity/")
    for words in ("Downloaded an export", "Requested an export", "Viewed a photo"):
        expect(person.get_by_text(words).first).to_be_visible()
