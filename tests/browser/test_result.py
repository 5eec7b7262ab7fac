"""The page of one analysis: box, chart, keyboard, deletion."""

import os
import re
import signal

import pytest
from playwright.sync_api import expect

CHART_IS_DRAWN = """() => {
  const canvas = document.getElementById("chart");
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.some((value) => value !== 0);
}"""


def test_box_and_chart_of_a_real_face_arrive_live(person, open_result):
    open_result("portrait")
    face = person.locator("#overlay .face")
    expect(face).to_have_count(1)
    box, photo = face.bounding_box(), person.locator("#photo").bounding_box()
    # The astronaut's face, in fractions of the photo.
    across = (box["x"] + box["width"] / 2 - photo["x"]) / photo["width"]
    down = (box["y"] + box["height"] / 2 - photo["y"]) / photo["height"]
    assert (across, down) == pytest.approx((0.44, 0.23), abs=0.04)
    expect(person.locator("#chart")).to_have_attribute("aria-label", re.compile(r"Happy \S*\d+%"))
    person.wait_for_function(CHART_IS_DRAWN)
    person.get_by_text("Show as table").click()
    values = person.locator("#values td").all_text_contents()
    assert len(values) == 7
    assert sum(float(value.rstrip("%")) for value in values) == pytest.approx(100, abs=0.4)


def test_faces_are_chosen_by_keyboard(person, open_result):
    open_result("crowd")
    faces = person.locator("#overlay .face")
    expect(faces).to_have_count(21)
    lefts = [face.bounding_box()["x"] for face in faces.all()]
    leftmost = lefts.index(min(lefts))
    faces.nth(leftmost).click()
    expect(person.locator("#reading-which")).to_have_text(f"Face {leftmost + 1} of 21")
    person.keyboard.press("ArrowRight")
    expect(person.locator("#reading-which")).not_to_have_text(f"Face {leftmost + 1} of 21")
    selected = person.locator("#overlay .face[aria-pressed=true]")
    assert selected.bounding_box()["x"] > lefts[leftmost]
    expect(selected).to_be_focused()
    person.keyboard.press("End")
    expect(person.locator("#reading-which")).to_have_text("Face 21 of 21")


def test_faces_are_chosen_in_the_list(person, open_result):
    open_result("crowd")
    person.locator("#face-list button").nth(4).click()
    expect(person.locator("#reading-which")).to_have_text("Face 5 of 21")
    expect(person.locator("#overlay .face").nth(4)).to_have_attribute("aria-pressed", "true")


def test_labels_do_not_cover_each_other(person, open_result):
    person.set_viewport_size({"width": 360, "height": 800})
    open_result("crowd")
    expect(person.locator("#overlay .face")).to_have_count(21)
    boxes = [label.bounding_box() for label in person.locator(".face-label:visible").all()]
    assert len(boxes) > 6  # the others would hide a face; they show on hover
    for index, one in enumerate(boxes):
        for other in boxes[index + 1 :]:
            apart = (
                one["x"] + one["width"] <= other["x"]
                or other["x"] + other["width"] <= one["x"]
                or one["y"] + one["height"] <= other["y"]
                or other["y"] + other["height"] <= one["y"]
            )
            assert apart


def test_no_face_is_a_result(person, open_result):
    open_result("no_face")
    expect(person.get_by_role("heading", name="No face found")).to_be_visible()
    expect(person.locator("#photo")).to_be_visible()


def test_a_photo_that_breaks_off_says_so(person, open_result):
    open_result("truncated")
    expect(person.get_by_role("heading", name="This photo couldn't be read")).to_be_visible()
    expect(person.locator("#failure-message")).not_to_be_empty()
    expect(person.locator("#failure")).to_contain_text("Mien accepts")


def test_a_result_is_deleted_after_a_question(person, open_result):
    open_result("portrait")
    person.locator("#overlay .face").wait_for()
    person.locator("#delete").click()
    person.locator("#confirm-delete").get_by_role("button", name="Delete").click()
    expect(person.get_by_role("heading", name="Nothing here yet")).to_be_visible()


def test_title_notes_and_tags_are_kept(person, open_result):
    open_result("portrait")
    person.locator("#overlay .face").wait_for()
    person.get_by_label("Title").fill("A launch")
    person.get_by_label("Tags").fill("space, 1980s, space")
    person.get_by_label("Notes").fill("<b>Not bold</b>")
    person.get_by_role("button", name="Save").click()
    expect(person.get_by_role("heading", level=1)).to_have_text("A launch")
    person.reload()
    expect(person.get_by_label("Title")).to_have_value("A launch")
    expect(person.get_by_label("Tags")).to_have_value("space, 1980s")
    expect(person.get_by_label("Notes")).to_have_value("<b>Not bold</b>")


def test_the_result_is_taken_away_as_picture_and_table(person, open_result):
    open_result("portrait")
    for name, ending in (("Picture with boxes", ".jpg"), ("CSV", ".csv"), ("JSON", ".json")):
        with person.expect_download() as download:
            person.get_by_role("link", name=name).click()
        assert download.value.suggested_filename.endswith(ending)
        assert download.value.path().stat().st_size > 200


def test_a_crowd_is_enlarged_and_the_chosen_face_stays_in_sight(person, open_result):
    open_result("crowd")
    expect(person.locator("#overlay .face")).to_have_count(21)
    width = person.locator("#stage").bounding_box()["width"]
    for _ in range(3):
        person.get_by_role("button", name="Zoom in").click()
    assert person.locator("#stage").bounding_box()["width"] == pytest.approx(3 * width, rel=0.02)
    person.locator("#face-list button").nth(20).click()
    face = person.locator("#overlay .face").nth(20).bounding_box()
    frame = person.locator("#zoom-frame").bounding_box()
    assert frame["x"] <= face["x"] <= frame["x"] + frame["width"]
    assert frame["y"] <= face["y"] <= frame["y"] + frame["height"]


@pytest.fixture
def idle_worker(live_site):
    """A worker that waits for a signal."""
    group = live_site.worker.popen.pid
    os.killpg(group, signal.SIGSTOP)
    yield lambda: os.killpg(group, signal.SIGCONT)
    os.killpg(group, signal.SIGCONT)


def test_what_waits_is_canceled_and_tried_again(person, open_result, idle_worker):
    open_result("portrait")
    person.get_by_role("button", name="Cancel").click()
    expect(person.get_by_role("heading", name="This analysis was canceled")).to_be_visible()
    expect(person.locator("#failure-help")).to_be_hidden()  # the photo is fine
    person.get_by_role("button", name="Retry").click()
    expect(person.get_by_role("heading", name="Queued")).to_be_visible()
    idle_worker()
    expect(person.locator("#overlay .face")).to_have_count(1)


def test_what_saving_brings_to_light_is_shown(person, open_result, idle_worker):
    """With lost events, the response to Save is the first to bring the result."""
    person.route_web_socket(re.compile("/ws/analyses/$"), lambda socket: None)
    open_result("portrait")
    expect(person.get_by_role("heading", name="Queued")).to_be_visible()
    person.route(
        "**/api/v1/analyses/*/",
        lambda route: route.abort() if route.request.method == "GET" else route.continue_(),
    )
    other = person.context.new_page()
    other.goto(person.url)
    other.get_by_role("button", name="Cancel").click()
    expect(other.get_by_role("heading", name="This analysis was canceled")).to_be_visible()
    person.get_by_role("button", name="Save").click()
    expect(person.get_by_role("heading", name="This analysis was canceled")).to_be_visible()
    person.complaints.clear()  # the browser logs the failed request


def test_what_a_face_does_is_told_and_its_mesh_is_drawn(person, open_result):
    open_result("portrait")
    person.get_by_text("Head, eyes, mouth").click()
    rows = person.locator("#measure-rows tr")
    expect(rows).to_have_count(7)
    expect(rows.nth(0)).to_contain_text("facing the camera")
    expect(rows.nth(4)).to_contain_text("drawn up")  # she smiles
    mesh = person.locator("#mesh path")
    expect(mesh).to_have_count(0)

    person.get_by_label("Draw the mesh").check()

    expect(mesh).to_have_count(1)
    face = person.locator("#overlay .face").bounding_box()
    drawn = mesh.bounding_box()
    assert drawn["x"] == pytest.approx(face["x"], abs=0.2 * face["width"])
    assert drawn["height"] == pytest.approx(face["height"], rel=0.25)
    person.get_by_label("Draw the mesh").uncheck()
    expect(person.locator("#mesh")).to_be_hidden()
