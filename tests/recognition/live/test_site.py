"""Live sessions on a real server, with a worker and Redis that get killed."""

import io
import time

import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed

from tests.conftest import LiveSite
from tests.processes import start_worker, wait_until
from tests.recognition.live.live_client import LiveClient, picture, sign_in

ROWS = """
from recognition.models import Analysis
a = Analysis.objects.filter(kind="webcam").latest("created_at")
print(a.status, a.frame_count, a.face_count, a.faces.count(), a.emotion or "-")
"""


class FramesSite(LiveSite):
    """A site with a worker for frames instead of photos."""

    queues = "frames"

    def restart_worker(self) -> None:
        self.worker.kill()
        self.worker = start_worker(self.data_dir / "again.log", "frames", **self.environment)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = FramesSite(tmp_path_factory.mktemp("live"))
    yield site
    site.stop()


@pytest.fixture
def client(site):
    with LiveClient(site, sign_in(site, "ada@example.org")) as client:
        assert client.receive()["type"] == "session.created"
        yield client


def wait_for_a_result(client: LiveClient, content: bytes, seconds: float = 5) -> None:
    """Send frames until one is analyzed, like a page after errors."""
    deadline = time.monotonic() + seconds
    while client.ask(content)["type"] != "frame.result":
        assert time.monotonic() < deadline, f"no result within {seconds} s"
        time.sleep(0.1)


def send_for_ever(client: LiveClient, content: bytes) -> None:
    while True:
        client.ask(content)
        time.sleep(0.05)


def test_a_moving_face_keeps_its_number(client, astronaut):
    boxes, tracks = [], set()
    for step in range(12):
        reply = client.ask(picture(astronaut, left=step * 4))
        time.sleep(0.08)  # pages limit their frame rate; a fast machine would exceed it
        assert reply["type"] == "frame.result"
        (face,) = reply["faces"]
        boxes.append(face["box"]["x"])
        tracks.add(face["track"])
    assert tracks == {1}
    assert boxes[0] - boxes[-1] == pytest.approx(44, abs=8)


def test_a_frame_without_a_face_has_none(client, coffee):
    assert client.ask(picture(coffee))["faces"] == []


def test_webp_is_read_too(client, astronaut):
    file = io.BytesIO()
    Image.open(io.BytesIO(picture(astronaut))).save(file, "WEBP")
    assert len(client.ask(file.getvalue())["faces"]) == 1


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda content: b"GIF89a" + content, "not_an_image"),
        (lambda content: b"garbage", "not_an_image"),
        (lambda content: content[: len(content) // 2], "truncated_image"),
    ],
)
def test_a_bad_frame_is_an_error_and_the_next_is_fine(client, astronaut, spoil, code):
    reply = client.ask(spoil(picture(astronaut)))
    assert (reply["type"], reply["code"]) == ("frame.error", code)
    assert client.ask(picture(astronaut))["type"] == "frame.result"


def test_a_frame_with_too_many_pixels_is_an_error(client, coffee):
    reply = client.ask(picture(coffee, 2600, 2600))
    assert reply["code"] == "too_many_pixels"


def test_every_frame_has_one_reply_in_order_however_fast_they_come(client, astronaut):
    content = picture(astronaut)
    sent = [client.send_frame(content) for _ in range(200)]
    replies = [client.receive() for _ in sent]
    assert [reply["sequence"] for reply in replies] == sent
    kinds = [reply["type"] for reply in replies]
    assert "frame.result" in kinds
    assert "frame.skipped" in kinds


def test_a_kept_session_has_a_row_for_each_face(site, client, astronaut):
    client.send(type="session.update", keep=True)
    assert client.receive()["kept_url"].startswith("/analyses/")
    for step in range(5):
        client.ask(picture(astronaut, left=step))
    client.send(type="session.close")
    closed = client.receive()
    assert closed["frames"]["analyzed"] == 5
    status, frames, tracks, rows, _ = site.manage("shell", "-v0", "-c", ROWS).split()
    assert (status, frames, tracks, rows) == ("succeeded", "5", "1", "5")


def test_the_session_goes_on_after_the_worker_was_killed(site, client, astronaut):
    content = picture(astronaut)
    wait_for_a_result(client, content)
    site.restart_worker()
    wait_for_a_result(client, content)


def test_the_session_goes_on_after_redis_was_killed(site, client, astronaut):
    content = picture(astronaut)
    wait_for_a_result(client, content)
    site.redis.stop()
    assert client.ask(content)["code"] in {"unavailable", "timeout"}
    site.redis.start()
    wait_for_a_result(client, content)
    client.send(type="session.close")
    frames = client.receive()["frames"]
    assert frames["analyzed"] >= 2  # it is still the same session
    assert frames["failed"] >= 1


def test_signing_out_closes_a_session_in_use(site, client, astronaut):
    ended = "from django.contrib.sessions.models import Session; Session.objects.all().delete()"
    site.manage("shell", "-v0", "-c", ended)
    with pytest.raises(ConnectionClosed) as closed:
        send_for_ever(client, picture(astronaut))
    assert closed.value.rcvd.code == 4401


def test_a_session_whose_web_process_died_keeps_its_rows(site, astronaut):
    client = LiveClient(site, sign_in(site, "eve@example.org"))
    client.receive()
    client.send(type="session.update", keep=True)
    client.receive()
    deadline = time.monotonic() + 2.5
    while time.monotonic() < deadline:
        client.ask(picture(astronaut))
    site.web.kill()
    site.start_web()
    finish = "from recognition.live.recordings import finish_interrupted; finish_interrupted()"

    def is_finished() -> bool:
        site.manage("shell", "-v0", "-c", finish)
        return site.manage("shell", "-v0", "-c", ROWS).startswith("succeeded")

    wait_until(is_finished, "the lease to run out")
    assert int(site.manage("shell", "-v0", "-c", ROWS).split()[3]) > 0
