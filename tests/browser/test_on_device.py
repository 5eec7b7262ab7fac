"""Live on this device: the browser reads the faces itself, and no picture leaves it."""

import base64
import io
import json
import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.test_live import CHART_IS_DRAWN, LIVE_SOCKET, start, state
from tests.recognition.live.device_frames import EngineSession, as_frame, assert_agreement

READ = """async (pictures) => {
  const {DeviceEngine} = await import("/static/js/live/on-device/engine.js");
  const engine = await DeviceEngine.load(document.getElementById("live").dataset.networks);
  const readings = [];
  for (const [at, text] of pictures.entries()) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], {type: "image/png"}));
    readings.push(await engine.read(image, 32, 1000 * at));
  }
  engine.close();
  return readings;
}"""


@pytest.fixture
def on_device(live):
    """The Live page with the choice made, and all that it sends."""
    live.sent = []
    live.requests = []
    live.on("websocket", lambda socket: socket.on("framesent", lambda sent: live.sent.append(sent)))
    live.on("request", lambda request: live.requests.append(request))
    live.get_by_role("radio", name="On this device").check()
    return live


def faces_sent(page) -> list[dict]:
    messages = [json.loads(text) for text in page.sent if isinstance(text, str)]
    return [message for message in messages if message["type"] == "frame.faces"]


def test_photos_are_read_as_the_engine_reads_them(live, photos):
    names = ["portrait", "pair", "crowd", "no_face"]
    frames = [as_frame(Image.open(photos[name])) for name in names]
    pictures = []
    for frame in frames:
        file = io.BytesIO()
        frame.save(file, "PNG")
        pictures.append(base64.b64encode(file.getvalue()).decode())

    readings = live.evaluate(READ, pictures)

    session, found = EngineSession(32), 0
    for at, (name, frame, reading) in enumerate(zip(names, frames, readings, strict=True)):
        found += assert_agreement(session.read(frame, at), reading, name)
    assert found >= 5


def test_faces_are_read_here_and_no_picture_is_sent(on_device):
    start(on_device)
    expect(on_device.locator("#reading-emotion")).to_have_text("Happy")
    expect(on_device.locator("#reading-probability")).to_have_text(re.compile(r"\d%"))
    expect(on_device.locator("#rate")).to_have_text(re.compile(r"^\d+$"))
    on_device.wait_for_function(CHART_IS_DRAWN)
    on_device.wait_for_timeout(2000)

    assert len(faces_sent(on_device)) > 5
    assert [message for message in on_device.sent if not isinstance(message, str)] == []
    uploads = [request.url for request in on_device.requests if request.method != "GET"]
    assert uploads == []
    longest = max(map(len, on_device.sent))
    assert longest < 2000  # letters; a picture takes 40,000


def test_threads_are_used_where_the_browser_allows(on_device):
    assert on_device.evaluate("crossOriginIsolated")
    on_device.add_init_script(
        "Object.defineProperty(navigator, 'hardwareConcurrency', {get: () => 6})"
    )
    on_device.reload()
    start(on_device)
    expect(on_device.locator("#reading-emotion")).to_have_text("Happy")
    # The worker of the page, and two that help it: it is the third thread itself.
    assert len(on_device.workers) == 3


def test_the_page_says_where_faces_are_read(live):
    expect(live.locator("#mode")).to_have_text("Analyzed on this server", use_inner_text=True)
    live.get_by_role("radio", name="On this device").check()
    here = "Analyzed on this device: no picture leaves it"
    expect(live.locator("#mode")).to_have_text(here, use_inner_text=True)
    expect(live.get_by_text("No picture leaves this device.").first).to_be_visible()
    start(live)
    state(live, "live")
    expect(live.locator("#mode")).to_have_text(here, use_inner_text=True)
    expect(live.get_by_role("radio", name="On this server")).to_be_disabled()
    expect(live.locator("#record")).to_be_disabled()


def test_the_choice_is_remembered(on_device):
    on_device.reload()
    expect(on_device.get_by_role("radio", name="On this device")).to_be_checked()
    expect(on_device.locator("#live")).to_have_attribute("data-place", "device")


def test_a_kept_session_has_its_numbers_and_names_the_version(on_device):
    on_device.locator("#keep").check()
    start(on_device)
    expect(on_device.locator("#keeping")).to_be_visible()
    expect(on_device.locator("#reading-emotion")).to_have_text("Happy")
    on_device.wait_for_timeout(3000)
    on_device.get_by_role("button", name="Stop").click()
    on_device.locator("#ended-kept").click()
    expect(on_device.get_by_text("Version 1", exact=True)).to_be_visible()
    expect(on_device.get_by_role("heading", name="Markers")).to_be_visible()
    number = on_device.url.rstrip("/").rsplit("/", 1)[-1]
    kept = on_device.request.get(f"/api/v1/analyses/{number}/").json()
    assert (kept["kind"], kept["model_version"]) == ("webcam", 1)
    assert [track["emotion"] for track in kept["tracks"]] == ["happy"]


@pytest.mark.parametrize(
    "address", [re.compile(r"/live/networks/\w+\.onnx$"), re.compile(r"threaded\.\w+\.wasm$")]
)
def test_what_cannot_be_loaded_is_told_and_nothing_is_sent(on_device, address):
    on_device.route(address, lambda route: route.abort())
    start(on_device)
    state(on_device, "device-failed")
    expect(on_device.get_by_role("heading", name="This device can't read")).to_be_visible()
    expect(on_device.locator("#device-reason")).to_contain_text("couldn't be loaded")
    assert on_device.sent == []
    on_device.complaints.clear()  # the browser itself reports what wasn't loaded

    on_device.unroute(address)
    on_device.get_by_role("button", name="Try again").click()
    expect(on_device.locator("#reading-emotion")).to_have_text("Happy")


def test_frames_go_to_the_server_only_if_the_person_decides_so(on_device):
    on_device.add_init_script("delete window.OffscreenCanvas")
    on_device.reload()
    start(on_device)
    state(on_device, "device-failed")
    expect(on_device.locator("#device-reason")).to_contain_text("This browser lacks")
    on_device.wait_for_timeout(1000)
    assert on_device.sent == []

    on_device.get_by_role("button", name="Send frames to this server").click()
    expect(on_device.locator("#reading-emotion")).to_have_text("Happy")
    expect(on_device.locator("#mode")).to_have_text("Analyzed on this server", use_inner_text=True)
    assert any(isinstance(message, bytes) for message in on_device.sent)


def test_a_program_that_stops_ends_the_session(on_device):
    on_device.add_init_script(
        """const {postMessage} = Worker.prototype;
        Worker.prototype.postMessage = function (message, ...rest) {
          if (message.task === "read") this.onmessage({data: {id: message.id, error: "memory"}});
          else postMessage.call(this, message, ...rest);
        };"""
    )
    on_device.reload()
    start(on_device)
    state(on_device, "device-failed")
    expect(on_device.locator("#device-reason")).to_contain_text("The program stopped")
    assert not any(isinstance(message, bytes) for message in on_device.sent)


def test_a_lost_connection_is_made_anew_and_faces_go_on(on_device):
    sockets = []

    def connect(socket):
        sockets.append(socket)
        socket.connect_to_server()

    on_device.route_web_socket(LIVE_SOCKET, connect)
    on_device.reload()
    start(on_device)
    state(on_device, "live")
    sockets[0].close(code=1012)
    state(on_device, "lost")
    state(on_device, "live")
    expect(on_device.locator("#reading-emotion")).to_have_text("Happy")
