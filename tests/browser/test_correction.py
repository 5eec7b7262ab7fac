"""Correcting a face: by keyboard, beside the prediction, in every tab."""

import re
import zipfile

import pytest
from playwright.sync_api import Page, expect


@pytest.fixture
def page(person, open_result) -> Page:
    """The result of a photo with one face."""
    open_result("portrait")
    person.locator("#overlay .face").wait_for()
    return person


def choice(page: Page):
    return page.get_by_label(re.compile("Correct (this face|face [0-9]+)"))


def test_a_face_is_corrected_by_keyboard_and_marked(page):
    predicted = page.locator("#reading-emotion").text_content()
    page.locator("#overlay .face").focus()
    page.keyboard.press("Tab")
    while not choice(page).evaluate("(select) => select === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.type("Sad")

    expect(page.locator("#reading-correction")).to_have_text("corrected: Sad")
    expect(page.locator("#reading-emotion")).to_have_text(predicted)
    expect(choice(page)).to_be_focused()
    face = page.locator("#overlay .face")
    expect(face).to_have_attribute("data-emotion", "sad")
    expect(face).to_have_attribute("aria-label", re.compile(f"{predicted}, .*, corrected: Sad"))
    expect(page.locator(".face-label")).to_contain_text("Sad")
    page.reload()
    expect(page.locator("#reading-correction")).to_have_text("corrected: Sad")
    expect(choice(page)).to_have_value("sad")


def test_a_correction_is_taken_back(page):
    choice(page).select_option("not_a_face")
    expect(page.locator("#reading-correction")).to_have_text("corrected: Not a face")
    page.get_by_role("button", name="Undo the correction").click()

    expect(page.locator("#reading-correction")).to_be_hidden()
    expect(page.locator("#announcer")).to_have_text("Correction removed.")
    expect(choice(page)).to_have_value("")
    expect(choice(page)).to_be_focused()


def test_another_tab_shows_the_correction_by_itself(page):
    other = page.context.new_page()
    other.goto(page.url)
    other.locator("#overlay .face").wait_for()
    choice(page).select_option("fear")

    expect(other.locator("#reading-correction")).to_have_text("corrected: Fear")
    other.close()


def test_corrections_are_taken_away_as_a_data_set(page):
    choice(page).select_option("happy")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all your corrections as a data set").click()

    assert download.value.suggested_filename == "corrections.zip"
    (name,) = zipfile.ZipFile(download.value.path()).namelist()
    assert re.fullmatch(r"happy/[0-9]+\.png", name)


def test_a_correction_that_cannot_be_stored_is_not_shown(page):
    page.route("**/api/v1/faces/*/", lambda route: route.abort())
    choice(page).select_option("fear")

    expect(page.locator("#announcer")).to_contain_text("can't be reached")
    expect(choice(page)).to_have_value("")
    expect(page.locator("#reading-correction")).to_be_hidden()
    page.complaints = [line for line in page.complaints if "ERR_FAILED" not in line]


def test_one_of_a_hundred_faces_is_corrected(person, open_result):
    open_result("hundred")
    faces, items = person.locator("#overlay .face"), person.locator("#face-list button")
    expect(faces).to_have_count(100)
    items.first.focus()
    person.keyboard.press("End")
    expect(person.locator("#reading-which")).to_have_text("Face 100 of 100")
    expect(items.nth(99)).to_be_focused()
    expect(faces.nth(99)).to_have_attribute("aria-pressed", "true")
    person.keyboard.press("ArrowUp")
    number = int(re.search("[0-9]+", person.locator("#reading-which").text_content())[0])
    assert 90 < number < 100
    person.get_by_label(f"Correct face {number}").select_option("disgust")

    expect(items.nth(number - 1)).to_contain_text("corrected: Disgust")
    expect(faces.nth(number - 1)).to_have_attribute("data-emotion", "disgust")
    expect(person.locator("#face-list .corrected")).to_have_count(1)
    # One tab stop each for a hundred boxes and for their list.
    assert person.locator("#overlay .face[tabindex='0']").count() == 1
    assert person.locator("#face-list button[tabindex='0']").count() == 1


def test_picture_list_and_chart_follow_the_pointer(person, open_result):
    open_result("pair")
    faces, items = person.locator("#overlay .face"), person.locator("#face-list button")
    chart, which = person.locator("#chart"), person.locator("#reading-which")
    expect(faces).to_have_count(2)
    chosen = chart.get_attribute("aria-label")

    items.nth(1).hover()
    expect(faces.nth(1)).to_have_class(re.compile("pointed"))
    expect(which).to_have_text("Face 2 of 2")
    expect(chart).not_to_have_attribute("aria-label", chosen)
    person.mouse.move(2, 2)
    expect(which).to_have_text("Face 1 of 2")
    expect(chart).to_have_attribute("aria-label", chosen)
    faces.nth(1).hover()
    expect(items.nth(1)).to_have_class(re.compile("pointed"))
    expect(which).to_have_text("Face 2 of 2")
    # The selected face is corrected, not the one under the pointer.
    expect(choice(person)).to_have_accessible_name("Correct face 1")


def test_a_blurred_face_is_recognized_as_one(person, open_result):
    open_result("pair")
    items, doubt = person.locator("#face-list button"), person.locator("#quality")
    expect(items).to_have_count(2)
    expect(doubt).to_be_empty()
    items.nth(1).click()

    expect(doubt).to_have_text("Blurred: take it as a guess.")
    expect(items.nth(1)).to_have_class(re.compile("doubtful"))
