"""A test client for the live protocol: signs in, sends frames, validates replies."""

import io
import json

import jsonschema
import numpy as np
from PIL import Image
from websockets.sync.client import connect

from tests.conftest import LiveSite
from tests.processes import ROOT

SCHEMAS = {
    path.name.removesuffix(".schema.json"): json.loads(path.read_text())
    for path in (ROOT / "docs" / "live-protocol").glob("*.schema.json")
}

SIGN_IN = """
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
user, _ = get_user_model().objects.get_or_create(username={name!r}, email={name!r})
session = SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.save()
print(settings.SESSION_COOKIE_NAME + "=" + session.session_key)
"""


def sign_in(site: LiveSite, name: str) -> str:
    """The session cookie of a person, created if needed."""
    return site.manage("shell", "-v0", "-c", SIGN_IN.format(name=name)).strip().splitlines()[-1]


def checked(text: str) -> dict:
    """A message from the server, validated by its schema."""
    message = json.loads(text)
    jsonschema.validate(message, SCHEMAS[message["type"]])
    return message


def picture(photo: bytes, width: int = 640, height: int = 480, left: int = 0) -> bytes:
    """A frame: a part of a photo, moved left by this many pixels."""
    image = Image.open(io.BytesIO(photo)).convert("RGB").resize((width, width))
    moved = np.roll(np.asarray(image)[:height], -left, axis=1)
    file = io.BytesIO()
    Image.fromarray(moved).save(file, "JPEG", quality=80)
    return file.getvalue()


def frame(sequence: int, content: bytes) -> bytes:
    return sequence.to_bytes(4) + content


class LiveClient:
    """A socket of the live protocol on a running site."""

    def __init__(self, site: LiveSite, cookie: str, origin: str | None = None):
        self.socket = connect(
            site.url.replace("http", "ws") + "/ws/live/",
            additional_headers={"Cookie": cookie},
            origin=origin or site.url,
            compression=None,
            legacy=True,
        )
        self.sequence = 0

    def __enter__(self) -> "LiveClient":
        return self

    def __exit__(self, *details: object) -> None:
        self.socket.close()

    def receive(self, seconds: float = 20) -> dict:
        return checked(self.socket.recv(seconds))

    def send(self, **message) -> None:
        self.socket.send(json.dumps(message))

    def send_frame(self, content: bytes) -> int:
        """Send a picture with the next sequence number, and return that."""
        self.sequence += 1
        self.socket.send(frame(self.sequence, content))
        return self.sequence

    def ask(self, content: bytes) -> dict:
        """Send a picture and wait for its reply."""
        sequence = self.send_frame(content)
        reply = self.receive()
        assert reply["sequence"] == sequence
        return reply
