"""The Live page: a camera that plays a clip, a real server, and failing servers."""

import json
import re
import statistics

import pytest
from playwright.sync_api import expect

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
LIVE_SOCKET = re.compile("/ws/live/$")

# Compares for some seconds where the page draws the first face with its true position, which the
# clip marks in its last lines. Returns pairs of fractions of the width.
WATCH = """async (seconds) => {
  const [video, canvas] = ["video", "overlay"].map((id) => document.getElementById(id));
  const strip = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const pairs = [];
  const end = performance.now() + 1000 * seconds;
  while (performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 150));
    const {videoWidth: width, videoHeight: height} = video;
    strip.canvas.width = width;
    strip.drawImage(video, 0, height - 8, width, 1, 0, 0, width, 1);
    const {data} = strip.getImageData(0, 0, width, 1);
    const white = [...Array(width).keys()].filter((x) => data[4 * x] > 128);
    const [face] = JSON.parse(canvas.dataset.faces ?? "[]");
    if (!face || !white.length) continue;
    const middle = (white[0] + white.at(-1)) / 2 / width;
    const drawn = (face.left + face.width / 2) / canvas.clientWidth;
    pairs.push([drawn, video.classList.contains("mirrored") ? 1 - middle : middle]);
  }
  return pairs;
}"""
CHART_IS_DRAWN = """() => {
  const canvas = document.getElementById("timeline");
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.some((value) => value !== 0);
}"""

UNPLUG = """() => {
  const [track] = document.getElementById("video").srcObject.getVideoTracks();
  track.dispatchEvent(new Event("ended"));
}"""


def start(page):
    page.get_by_role("button", name="Start camera").click()


def state(page, name: str):
    expect(page.locator("#live")).to_have_attribute("data-state", name)


def drawn(page) -> list[dict]:
    return json.loads(page.locator("#overlay").get_attribute("data-faces") or "[]")


class Server:
    """A fake server that answers each frame with `faces` or `error`."""

    def __init__(self, page):
        self.faces = []
        self.error = None
        self.received = []
        page.route_web_socket(LIVE_SOCKET, self.accept)

    def accept(self, socket):
        socket.on_message(lambda message: self.answer(socket, message))
        socket.send(json.dumps({"type": "session.created", "protocol": 1, "session": "1"}))

    def answer(self, socket, message):
        if isinstance(message, str):
            self.received.append(json.loads(message))
            return
        reply = {"sequence": int.from_bytes(message[:4]), "type": "frame.result"}
        if self.error:
            reply |= {"type": "frame.error", "code": self.error, "message": ""}
        else:
            reply |= {"width": 640, "height": 480, "faces": self.faces}
        socket.send(json.dumps(reply))


def face(track: int, left: int, emotion: str = "happy") -> dict:
    probabilities = dict.fromkeys(EMOTIONS, 0.05) | {emotion: 0.7}
    box = {"x": left, "y": 120, "width": 100, "height": 120}
    reading = {"track": track, "box": box, "emotion": emotion, "smoothed": probabilities}
    return {**reading, "measures": None, "quality": [], "mesh": None}


def test_the_overlay_follows_the_face(live):
    start(live)
    expect(live.locator("#reading-emotion")).to_have_text("Happy")
    pairs = live.evaluate(WATCH, 6)
    positions = [drawn for drawn, _ in pairs]
    assert max(positions) - min(positions) > 0.15
    assert statistics.median(abs(drawn - true) for drawn, true in pairs) < 0.06


def test_the_page_has_one_title_also_while_it_runs(live):
    expect(live.get_by_role("heading", level=1)).to_have_count(1)
    start(live)
    expect(live.get_by_role("heading", level=1)).to_have_text("Live")


def test_numbers_arrive_and_change(live):
    start(live)
    expect(live.locator("#reading-probability")).to_have_text(re.compile(r"\d%"))
    expect(live.locator("#round-trip")).to_have_text(re.compile(r"^\d+$"))
    expect(live.locator("#rate")).to_have_text(re.compile(r"^\d+$"))
    expect(live.locator("#bars li")).to_have_count(7)
    live.wait_for_function(CHART_IS_DRAWN)
    bar = live.locator("#bars li[data-emotion=happy] .bar span")
    expect(bar).not_to_have_attribute("style", bar.get_attribute("style"))


def test_what_a_face_does_is_told_as_it_happens(live):
    start(live)
    live.get_by_text("Head, eyes, mouth").click()
    rows = live.locator("#measure-rows tr")
    expect(rows).to_have_count(7)
    expect(rows.nth(0)).to_contain_text("facing the camera")
    expect(rows.nth(4)).to_contain_text("drawn up")  # she smiles


def test_a_doubtful_reading_says_why(live):
    Server(live).faces = [{**face(1, 100), "quality": ["turned", "partly_covered"]}]
    start(live)
    expect(live.locator("#quality")).to_have_text(
        "Turned away and partly covered: take it as a guess."
    )


def test_the_mirror_turns_picture_and_frames(live):
    server = Server(live)
    server.faces = [face(1, left=40)]
    start(live)
    expect(live.locator("#video")).to_have_class("mirrored")
    expect(live.locator("#overlay")).to_have_attribute("data-faces", re.compile("track"))
    live.locator("#pause").click()
    live.wait_for_timeout(300)
    (mirrored,) = drawn(live)
    live.get_by_role("button", name="Mirror").click()
    expect(live.locator("#video")).not_to_have_class("mirrored")
    live.wait_for_timeout(300)
    (plain,) = drawn(live)
    width = live.locator("#overlay").bounding_box()["width"]
    assert plain["left"] == pytest.approx(width * 40 / 640, abs=3)
    assert mirrored["left"] + mirrored["width"] == pytest.approx(width - plain["left"], abs=1)
    live.reload()  # and it is remembered
    expect(live.locator("#mirror")).to_have_attribute("aria-pressed", "false")


def test_nothing_is_sent_while_paused(live):
    server = Server(live)
    frames = []
    answer = server.answer
    server.answer = lambda *message: (frames.append(1), answer(*message))
    start(live)
    live.wait_for_timeout(1000)
    live.locator("#pause").click()
    expect(live.locator(".live-strip", has_text="Paused. Nothing is being sent.")).to_be_visible()
    live.wait_for_timeout(500)
    sent = len(frames)
    assert sent > 2
    live.wait_for_timeout(1000)
    assert len(frames) == sent
    live.locator("#resume").click()
    live.wait_for_timeout(1000)
    assert len(frames) > sent
    state(live, "live")


def test_each_face_has_its_number_and_its_reading(live):
    server = Server(live)
    server.faces = [face(1, 40), face(2, 270, "sad"), face(3, 500, "surprise")]
    start(live)
    buttons = live.locator("#live-faces button")
    expect(buttons).to_have_count(3)
    assert [place["track"] for place in sorted(drawn(live), key=lambda one: one["track"])] == [
        1,
        2,
        3,
    ]
    expect(live.locator("#count-status")).to_have_text("3 faces in view.")
    buttons.nth(1).click()
    expect(live.locator("#reading-which")).to_have_text("Face 2")
    expect(live.locator("#reading-emotion")).to_have_text("Sad")
    expect(live.locator("#reading-probability")).to_have_text("70%")
    place = live.locator("#reading").bounding_box()

    server.faces = [face(1, 40), face(3, 500, "surprise")]
    expect(live.locator("#reading-emotion")).to_have_text("Out of view")
    expect(buttons).to_have_count(2)
    server.faces = []
    expect(live.get_by_text("Nobody is in view.")).to_be_visible()
    assert drawn(live) == []
    assert live.locator("#reading").bounding_box() == place


def test_settings_reach_the_server(live):
    server = Server(live)
    start(live)
    live.get_by_text("Settings", exact=True).click()
    live.locator("#smoothing-setting").fill("1.5")
    expect(live.locator("output[for=smoothing-setting]")).to_have_text("1.5 s")
    live.locator("#min-face-setting").fill("100")
    live.locator("#keep").check()
    live.get_by_label("Draw the mesh").check()
    live.wait_for_timeout(300)
    settings = {}
    for message in server.received:  # one by one, or together if changed while connecting
        if message["type"] == "session.update":
            settings |= message
    assert (settings["smoothing"], settings["min_face"]) == (1.5, 100)
    assert settings["keep"]
    assert settings["mesh"]


def test_a_kept_session_is_in_the_history_with_its_charts(live):
    live.locator("#keep").check()
    start(live)
    expect(live.get_by_text("This session is being kept.")).to_be_visible()
    expect(live.locator("#reading-emotion")).to_have_text("Happy")
    live.wait_for_timeout(2500)
    live.locator("#stop").click()
    expect(live.locator("#summary")).to_contain_text("frame")
    expect(live.locator("#keep")).not_to_be_checked()
    live.locator("#ended-kept").click()

    expect(live.locator("#reading-emotion")).to_have_text("Happy")
    expect(live.locator("#meta-length")).to_have_text(re.compile(r"\d s"))
    chart = live.locator("#timeline .u-over")
    chart.click(position={"x": chart.bounding_box()["width"] / 2, "y": 60})
    live.keyboard.press("m")
    expect(live.locator(".marker")).to_have_count(1)
    live.get_by_role("button", name="Set as neutral here").click()
    expect(live.locator("#reading-emotion")).to_have_text("Neutral")
    live.get_by_role("button", name="Forget neutral").click()
    expect(live.locator("#reading-emotion")).to_have_text("Happy")
    live.goto("/analyses/")
    card = live.locator("#history .analysis")
    expect(card).to_have_attribute("data-emotion", "happy")
    expect(card).to_contain_text(re.compile(r"\d s"))
    card.locator("a").click()
    live.locator("#delete").click()
    live.locator("#confirm-delete").get_by_role("button", name="Delete").click()
    expect(live.get_by_role("heading", name="Nothing here yet")).to_be_visible()


def test_a_session_that_is_being_kept_can_be_watched(live):
    live.locator("#keep").check()
    start(live)
    expect(live.locator("#reading-emotion")).to_have_text("Happy")
    other = live.context.new_page()
    other.goto("/analyses/")
    card = other.locator("#history .analysis")
    expect(card).to_contain_text("Recording")
    card.locator("a").click()
    expect(other.get_by_text("This session is being recorded.")).to_be_visible()
    live.locator("#stop").click()
    expect(other.locator("#running")).to_be_hidden()
    expect(other.locator("#reading-emotion")).to_have_text("Happy")


def test_a_session_after_one_that_broke_off_is_kept_only_if_it_is_asked_for(live):
    Server(live)
    live.locator("#keep").check()
    start(live)
    state(live, "live")
    live.evaluate(UNPLUG)
    expect(live.get_by_role("heading", name="Camera disconnected")).to_be_visible()
    expect(live.locator("#keep")).not_to_be_checked()


def test_leaving_ends_the_session_and_lets_go_of_the_camera(live):
    server = Server(live)
    start(live)
    state(live, "live")
    live.evaluate("stream = document.getElementById('video').srcObject")
    live.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    assert live.evaluate("stream.getTracks().map((track) => track.readyState)") == ["ended"]
    live.wait_for_timeout(200)
    assert server.received[-1] == {"type": "session.close"}


def test_a_refused_permission_is_told_and_can_be_given(live):
    live.context.clear_permissions()
    live.locator("#keep").check()
    start(live)
    expect(live.get_by_role("heading", name="Camera blocked")).to_be_visible()
    expect(live.locator("#status")).to_contain_text("Allow it")
    expect(live.get_by_role("button", name="Try again")).to_be_focused()
    live.context.grant_permissions(["camera"])
    Server(live)
    live.get_by_role("button", name="Try again").click()
    state(live, "live")
    expect(live.locator("#keep")).to_be_checked()  # nothing has been kept yet


def test_no_camera(person):
    person.context.grant_permissions(["camera"])
    person.goto("/live/")
    start(person)
    expect(person.get_by_role("heading", name="No camera found")).to_be_visible()


@pytest.mark.parametrize(
    ("script", "heading"),
    [
        ("delete Navigator.prototype.mediaDevices", "The camera needs a secure address"),
        (
            "MediaDevices.prototype.getUserMedia ="
            " async () => { throw new DOMException('', 'NotReadableError'); }",
            "The camera didn't start",
        ),
    ],
)
def test_a_camera_that_cannot_be_had(live, script, heading):
    live.add_init_script(script)
    live.reload()
    start(live)
    expect(live.get_by_role("heading", name=heading)).to_be_visible()


@pytest.mark.parametrize(
    ("code", "heading"),
    [
        (4400, "Frames couldn't be read"),
        (4401, "You're signed out"),
        (4408, "Session timed out"),
        (4429, "You already have a live session open"),
        (4503, "The server is busy"),
    ],
)
def test_a_server_that_closes_says_why(live, code, heading):
    live.route_web_socket(LIVE_SOCKET, lambda socket: socket.close(code=code))
    start(live)
    expect(live.get_by_role("heading", name=heading)).to_be_visible()


def test_a_lost_connection_is_told_and_made_anew(live):
    sockets = []

    def connect(socket):
        sockets.append(socket)
        if len(sockets) == 2:
            socket.close()
        else:
            socket.connect_to_server()

    live.route_web_socket(LIVE_SOCKET, connect)
    start(live)
    state(live, "live")
    sockets[0].close(code=1012)
    expect(live.locator(".live-strip", has_text="Connection lost. Reconnecting …")).to_be_visible()
    state(live, "live")
    assert len(sockets) == 3
    expect(live.locator("#overlay")).to_have_attribute("data-faces", re.compile("track"))


def test_no_more_than_two_frames_are_without_a_reply(live):
    server = Server(live)
    frames = []
    server.answer = lambda _, message: isinstance(message, bytes) and frames.append(message)
    start(live)
    expect(live.locator(".live-strip", has_text="isn't answering")).to_be_visible()
    assert [int.from_bytes(frame[:4]) for frame in frames] == [1, 2]
    assert frames[0][4:6] == b"\xff\xd8"  # a JPEG


def test_a_server_without_an_answer_is_told_until_it_has_one(live):
    server = Server(live)
    server.error = "timeout"
    start(live)
    expect(live.locator(".live-strip", has_text="The server isn't answering.")).to_be_visible()
    server.error = None
    state(live, "live")
