"""Uploading photos by button, drop and paste, and the page's messages."""

import base64
import re

from playwright.sync_api import expect

DROP = """([bytes, name]) => {
  const data = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([data], name, {type: "image/jpeg"}));
  const options = {bubbles: true, cancelable: true, dataTransfer: transfer};
  dispatchEvent(new DragEvent("dragenter", options));
  dispatchEvent(new DragEvent("drop", options));
}"""
PASTE = """([bytes, name]) => {
  const data = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([data], name, {type: "image/jpeg"}));
  const options = {bubbles: true, cancelable: true, clipboardData: transfer};
  document.body.dispatchEvent(new ClipboardEvent("paste", options));
}"""

# The server gets the next upload, but the page never gets the response.
LOSE_ONE_ANSWER = """() => {
  const { send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.send = function (body) {
    XMLHttpRequest.prototype.send = send;
    this.onload = this.onerror;
    this.send(body);
  };
}"""


def encoded(path):
    return [base64.b64encode(path.read_bytes()).decode(), path.name]


def card(page, name):
    return page.locator("#cards .analysis", has_text=name)


def test_a_photo_becomes_a_card_with_its_expression(person, photos):
    person.locator("#files").set_input_files(photos["portrait"])
    done = card(person, "portrait.jpg")
    expect(done).to_have_attribute("data-status", "succeeded")
    expect(done).to_have_attribute("data-emotion", re.compile(r"\w+"))
    expect(done.locator("img")).to_be_visible()
    expect(done.locator(".thumb-frames span")).to_have_count(1)
    expect(person.locator("#batch-status")).to_have_text("1 of 1 done")


def test_several_photos_and_a_bad_one_at_once(person, photos):
    person.locator("#files").set_input_files(list(photos.values()))
    expect(person.locator("#batch-count")).to_have_text("7 of 7 done, 2 failed")
    expect(card(person, "no_face.jpg")).to_contain_text("No face found")
    expect(card(person, "crowd.jpg")).to_contain_text("21 faces")
    bad = card(person, "broken.jpg")
    expect(bad).to_have_attribute("data-status", "failed")
    expect(bad.locator("[data-state]")).to_contain_text("JPEG")  # what is accepted
    person.complaints.clear()  # the browser logs the refused request


def test_a_file_over_the_limit_is_not_even_sent(person, tmp_path):
    large = tmp_path / "large.jpg"
    large.write_bytes(bytes(26 * 1024 * 1024))
    person.locator("#files").set_input_files(large)
    expect(card(person, "large.jpg")).to_contain_text("The limit is 25 MB")


def test_a_dropped_photo_is_read(person, photos):
    person.evaluate(DROP, encoded(photos["portrait"]))
    expect(card(person, "portrait.jpg")).to_have_attribute("data-status", "succeeded")
    expect(person.locator("#drop-veil")).to_be_hidden()


def test_a_pasted_photo_is_read(person, photos):
    person.evaluate(PASTE, encoded(photos["portrait"]))
    expect(card(person, "portrait.jpg")).to_have_attribute("data-status", "succeeded")


def test_the_sample_photo(person):
    person.get_by_role("button", name="Try a sample").click()
    expect(card(person, "Sample photo.jpg")).to_have_attribute("data-status", "succeeded")


def test_an_upload_survives_a_failing_network(person, photos):
    address = "**/api/v1/analyses/"
    person.route(address, lambda route: route.abort(), times=1)
    person.locator("#files").set_input_files(photos["portrait"])
    expect(card(person, "portrait.jpg")).to_contain_text("Retrying soon")
    expect(card(person, "portrait.jpg")).to_have_attribute("data-status", "succeeded")
    person.complaints.clear()  # the browser logs the failed request


def test_a_photo_whose_answer_was_lost_is_stored_once(person, photos):
    person.evaluate(LOSE_ONE_ANSWER)
    person.locator("#files").set_input_files(photos["portrait"])
    expect(card(person, "portrait.jpg")).to_contain_text("Retrying soon")
    expect(card(person, "portrait.jpg")).to_have_attribute("data-status", "succeeded")
    person.goto("/analyses/")
    expect(person.locator("#history .analysis")).to_have_count(1)


def test_a_photo_that_the_server_is_still_busy_with_is_asked_for_again(person, photos):
    busy = {"status": 409, "json": {"code": "request_in_progress", "detail": "Still running."}}
    person.route("**/api/v1/analyses/", lambda route: route.fulfill(**busy), times=1)
    person.locator("#files").set_input_files(photos["portrait"])
    expect(card(person, "portrait.jpg")).to_contain_text("Retrying soon")
    expect(card(person, "portrait.jpg")).to_have_attribute("data-status", "succeeded")
    person.complaints.clear()  # the browser logs the refused request


def test_a_deleted_card_can_be_brought_back_for_a_while(person, photos):
    person.locator("#files").set_input_files(photos["portrait"])
    expect(card(person, "portrait.jpg")).to_have_attribute("data-status", "succeeded")
    remove = card(person, "portrait.jpg").get_by_role("button", name="Delete portrait.jpg")
    remove.click()
    expect(card(person, "portrait.jpg")).to_be_hidden()
    person.get_by_role("button", name="Undo").click()
    expect(card(person, "portrait.jpg")).to_be_visible()
    remove.click()
    expect(card(person, "portrait.jpg")).to_have_count(0)
    person.goto("/analyses/")
    expect(person.get_by_role("heading", name="Nothing here yet")).to_be_visible()


def test_a_phone_offers_its_camera_and_no_keys(person):
    expect(person.get_by_text("Take a photo")).to_be_hidden()
    expect(person.locator("#drop-hint")).to_contain_text("Ctrl")
    phone = person.context.browser.new_context(
        storage_state=person.context.storage_state(),
        viewport={"width": 360, "height": 780},
        is_mobile=True,
        has_touch=True,
    ).new_page()
    phone.goto(person.url)
    expect(phone.get_by_text("Take a photo")).to_be_visible()
    expect(phone.get_by_text("Ctrl", exact=True)).to_be_hidden()
    with phone.expect_file_chooser() as chooser:
        phone.get_by_text("Take a photo").click()
    assert chooser.value.element.get_attribute("capture") == "user"
    phone.context.close()
