"""Videos in the browser: sent in pieces, replayed with boxes in step, named, marked."""

import re

import pytest
from playwright.sync_api import expect

from tests.recognition.engine.clips import astronaut, number_in, numbered, write


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """6 s of one face at 10 frames a second."""
    path = tmp_path_factory.mktemp("videos") / "clip.mp4"
    return write(path, (astronaut(n / 10) for n in range(60)), rate=10, options={"g": "10"})


@pytest.fixture(scope="session")
def counted(tmp_path_factory):
    """A face beside bars that show the number of each of 150 frames, 30 a second."""

    def picture(number):
        frame = astronaut(number / 30, 640, 360)
        frame[300:] = numbered(number, 640, 60)
        return frame

    path = tmp_path_factory.mktemp("videos") / "counted.mp4"
    return write(path, map(picture, range(150)), options={"g": "30"})


@pytest.fixture
def open_video(person):
    """Uploads a video, opens its page and waits until it has been read."""

    def open(path, fps="5"):
        person.get_by_text("Options").click()
        person.locator("#fps").select_option(fps)
        person.locator("#files").set_input_files(path)
        link = person.locator("#cards .analysis[data-id] a[href]", has_text=path.name)
        link.wait_for()
        person.goto(person.url.rstrip("/") + link.get_attribute("href"))
        expect(person.locator("#replay-view")).to_have_attribute("data-view", "succeeded")
        expect(person.locator("#player")).to_have_attribute("src", re.compile("/media/"))
        person.locator("#player").evaluate(
            "video => video.readyState >= 2 || new Promise(done => video.onloadeddata = done)"
        )

    return open


def seek(page, time):
    page.locator("#player").evaluate(
        """(video, time) => new Promise((done) => {
          video.requestVideoFrameCallback(() => done());
          video.currentTime = time;
        })""",
        time,
    )


def test_a_video_is_read_and_replayed(person, open_video, clip):
    open_video(clip)
    expect(person.locator("#tracks button")).to_have_count(1)
    expect(person.locator("#tracks img")).to_be_visible()
    expect(person.locator("#reading-emotion")).to_have_text("Happy")
    expect(person.locator("#meta-frames")).to_have_text("30")
    expect(person.locator("#timeline canvas")).to_be_visible()
    person.keyboard.press("Space")
    expect(person.locator("#play")).to_have_text("Pause")
    expect(person.locator("#clock")).not_to_have_text("0:00.0")
    expect(person.locator("#overlay")).to_have_attribute("data-faces", "1")
    person.keyboard.press("k")
    expect(person.locator("#play")).to_have_text("Play")


@pytest.mark.parametrize("speed", ["0.25", "1", "2"])
def test_each_box_is_on_its_own_frame(person, open_video, counted, speed):
    """The overlay tells the time of the frame whose boxes it drew."""
    open_video(counted, "all")
    person.locator("#speed").select_option(speed)
    seek(person, 1.0)
    # On a slow machine it would be over before the last look.
    person.locator("#player").evaluate("video => { video.loop = true; video.play(); }")
    offs = []
    for _ in range(12):
        person.wait_for_timeout(90)
        shown, drawn = person.locator("#player").evaluate(
            """(video) => new Promise((done) => {
              video.requestVideoFrameCallback((_now, { mediaTime }) => {
                done([mediaTime, Number(document.getElementById("overlay").dataset.time)]);
              });
            })"""
        )
        offs.append(abs(shown - drawn) * 30)
    assert max(offs) <= 1.01


def test_after_a_seek_the_box_is_that_of_the_frame(person, open_video, counted):
    open_video(counted, "all")
    for number in (75, 10, 140, 33):
        seek(person, number / 30 + 0.001)
        expect(person.locator("#overlay")).to_have_attribute("data-faces", "1")
        drawn = float(person.locator("#overlay").get_attribute("data-time"))
        pixels = person.locator("#player").evaluate(
            """(video) => {
              const canvas = document.createElement("canvas");
              Object.assign(canvas, { width: 640, height: 360 });
              const context = canvas.getContext("2d");
              context.drawImage(video, 0, 0, 640, 360);
              return [...context.getImageData(0, 340, 640, 1).data].filter((_, at) => at % 4 === 0);
            }"""
        )
        centers = [(2 * bit + 1) * 640 // 24 for bit in range(12)]
        shown = sum(1 << bit for bit, x in enumerate(centers) if pixels[x] > 120)
        assert abs(shown - number) <= 1
        assert abs(drawn * 30 - shown) <= 1.01
    assert number_in(numbered(75)) == 75


def test_markers_are_set_by_key_and_edited(person, open_video, clip):
    open_video(clip)
    seek(person, 1.0)
    person.keyboard.press("m")
    marker = person.locator(".marker")
    expect(marker).to_have_count(1)
    marker.get_by_label("Label").fill("smiles")
    marker.get_by_label("Label").press("Enter")
    seek(person, 2.0)
    person.locator("#mark-span").click()
    seek(person, 4.0)
    person.locator("#mark-span").click()
    expect(marker).to_have_count(2)
    marker.nth(1).get_by_label("Exclude").check()
    expect(person.locator("#reading-which")).to_contain_text(re.compile("1[89]|20|21"))
    person.reload()
    expect(marker.nth(0).get_by_label("Label")).to_have_value("smiles")
    expect(marker.nth(1).get_by_label("Exclude")).to_be_checked()
    marker.nth(0).get_by_role("button", name="Delete marker").click()
    expect(marker).to_have_count(1)


def test_a_face_is_named_split_and_set_as_neutral(person, open_video, clip):
    open_video(clip)
    person.get_by_label("Name").fill("Ada")
    person.locator("#track-edit").get_by_role("button", name="Save").click()
    expect(person.locator("#tracks b")).to_have_text("Ada")
    seek(person, 3.0)
    person.get_by_role("button", name="Split here").click()
    expect(person.locator("#tracks button")).to_have_count(2)
    person.locator("#merge").select_option("2")
    expect(person.locator("#tracks button")).to_have_count(1)
    person.get_by_role("button", name="Set as neutral here").click()
    expect(person.locator("#reading-emotion")).to_have_text("Neutral")
    person.get_by_role("button", name="Forget neutral").click()
    expect(person.locator("#reading-emotion")).to_have_text("Happy")


def test_the_chart_is_zoomed_and_the_player_follows_a_click(person, open_video, clip):
    open_video(clip)
    chart = person.locator("#timeline .u-over")
    chart.click(position={"x": chart.bounding_box()["width"] / 2, "y": 60})
    expect(person.locator("#clock")).to_have_text(re.compile(r"0:0[23]\.\d"))
    person.locator("#timeline").focus()
    person.keyboard.press("+")
    person.locator("#mode").select_option("stacked")
    person.get_by_role("button", name="Whole video").click()
    expect(person.locator("#timeline canvas")).to_be_visible()


def test_an_upload_goes_on_after_a_lost_connection_and_a_reload(person, clip, tmp_path):
    """The network fails in the middle; then the page is reloaded and the file chosen again."""
    large = tmp_path / "large.mp4"
    skipped = 2**24  # a box of zeros, which players skip
    large.write_bytes(clip.read_bytes() + skipped.to_bytes(4) + b"free" + bytes(skipped - 8))
    sent = []

    def fail_from_the_second_on(route):
        sent.append(int(route.request.headers["upload-offset"]))
        if len(sent) > 1:
            route.abort()
        else:
            route.continue_()

    person.route(
        "**/api/v1/uploads/*/",
        lambda route: (
            fail_from_the_second_on(route) if route.request.method == "PATCH" else route.continue_()
        ),
    )
    person.locator("#files").set_input_files(large)
    card = person.locator("#cards .analysis", has_text="large.mp4")
    expect(card.locator("[data-pause]")).to_be_visible()
    person.wait_for_timeout(3000)
    assert len(sent) > 1
    person.on("dialog", lambda dialog: dialog.accept())
    person.reload()  # before the network is back: the next attempt would send the rest
    person.unroute_all(behavior="ignoreErrors")
    offsets = []
    person.on(
        "request",
        lambda request: (
            offsets.append(int(request.headers["upload-offset"]))
            if request.method == "PATCH"
            else None
        ),
    )
    person.locator("#files").set_input_files(large)
    expect(card).to_have_attribute("data-status", "succeeded", timeout=60_000)
    assert min(offsets) == sent[1] > 0
    person.complaints.clear()  # of the requests that failed


def test_what_is_no_video_says_so(person, tmp_path):
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"just a text " * 1000)
    person.locator("#files").set_input_files(bad)
    card = person.locator("#cards .analysis", has_text="bad.mp4")
    expect(card).to_have_attribute("data-status", "failed")
    expect(card.locator("[data-state]")).to_contain_text("isn't a video that Mien can read")
    person.complaints.clear()  # of the answer 415


def test_a_video_is_exported_with_its_boxes(person, open_video, clip):
    open_video(clip)
    person.get_by_role("button", name="Video with boxes and expressions").click()
    row = person.locator("#exports [data-status]").first
    expect(row).to_have_attribute("data-status", "succeeded", timeout=60_000)
    expect(row).to_contain_text("Annotated video")
    with person.expect_download() as download:
        row.locator("[data-download]").click()
    assert download.value.suggested_filename.endswith(".mp4")


def test_the_camera_is_recorded_and_becomes_a_video(live):
    begun = []
    live.on(
        "request",
        lambda request: begun.extend(
            pair.split(" ")[0] for pair in request.headers.get("upload-metadata", "").split(",")
        ),
    )
    live.locator("#record").check()
    live.get_by_role("button", name="Start camera").click()
    expect(live.locator("#recording")).to_be_visible()
    live.wait_for_timeout(5000)
    live.get_by_role("button", name="Stop").click()
    link = live.locator("#recorded a")
    expect(link).to_be_visible()
    expect(live.locator("#record")).not_to_be_checked()
    assert "session" in begun  # whose numbers are shown until the video has been read
    live.goto(link.get_attribute("href"))
    expect(live.locator("#replay-view")).to_have_attribute("data-view", "succeeded", timeout=60_000)
    expect(live.locator("#tracks button")).to_have_count(1)
    length = live.locator("#player").evaluate(
        "video => video.readyState ? video.duration : new Promise("
        "done => video.onloadedmetadata = () => done(video.duration))"
    )
    assert 3 < length < 12


def test_nothing_is_recorded_unless_asked(live):
    sent = []
    live.on("request", lambda request: sent.append(request.url))
    live.get_by_role("button", name="Start camera").click()
    expect(live.locator("#live-faces button")).to_have_count(1)
    live.wait_for_timeout(2500)
    live.get_by_role("button", name="Stop").click()
    assert not [url for url in sent if "/uploads/" in url]
    expect(live.locator("#recording")).to_be_hidden()
