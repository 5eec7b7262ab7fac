"""The people of `benchmarks.load`, for Locust: they upload, look around, or sit at a webcam."""

import io
import itertools
import json
import os
import time

import skimage.data
from locust import HttpUser, User, constant_throughput, task
from PIL import Image
from websockets.sync.client import connect

COOKIE = os.environ["LOAD_COOKIE"]  # a session's, so that nobody spends the load on signing in
TOKEN = os.environ["LOAD_TOKEN"]
NUMBERS = itertools.count()


def picture(side: int, shift: int = 0) -> bytes:
    """A JPEG of the astronaut, a little different for each shift."""
    photo = Image.fromarray(skimage.data.astronaut()).resize((side, side))
    photo.putpixel((shift % side, shift // side % side), (shift % 256, 0, 0))
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=85)
    return file.getvalue()


class Person(HttpUser):
    abstract = True

    def on_start(self) -> None:
        name, _, value = COOKIE.partition("=")
        self.client.cookies.set(name, value)
        self.client.cookies.set("csrftoken", TOKEN)
        self.client.headers["X-CSRFToken"] = TOKEN


class Uploader(Person):
    """Sends a photo each second and waits for no result."""

    wait_time = constant_throughput(1)

    @task
    def upload(self) -> None:
        self.client.post(
            "/api/v1/analyses/",
            data=picture(480, next(NUMBERS)),
            headers={"Content-Type": "image/jpeg"},
            name="upload",
        )


class Visitor(Person):
    """Opens the history and the dashboard in turns."""

    wait_time = constant_throughput(1)

    @task
    def look(self) -> None:
        self.client.get("/analyses/", name="history")
        self.client.get("/dashboard/", name="dashboard")


class AtWebcam(User):
    """A live session of five frames a second; the time is from sending a frame to its reply."""

    wait_time = constant_throughput(5)

    def on_start(self) -> None:
        address = self.host.replace("http", "ws", 1) + "/ws/live/"
        headers = {"Cookie": COOKIE, "Origin": self.host}
        self.socket = connect(address, additional_headers=headers, compression=None)
        assert json.loads(self.socket.recv(30))["type"] == "session.created"
        self.frame, self.sequence = picture(480), 0

    def on_stop(self) -> None:
        self.socket.close()

    @task
    def send(self) -> None:
        self.sequence += 1
        began = time.perf_counter()
        self.socket.send(self.sequence.to_bytes(4) + self.frame)
        reply = json.loads(self.socket.recv(30))
        self.environment.events.request.fire(
            request_type="WS",
            name=reply["type"],
            response_time=(time.perf_counter() - began) * 1000,
            response_length=0,
            exception=None,
        )
