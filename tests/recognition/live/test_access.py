"""Who may open a live session: signed in on a page of this site, with a key, and having agreed."""

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser

from fer_site.asgi import application
from recognition import consent
from recognition.api import keys
from recognition.feed import NOT_SIGNED_IN
from recognition.live import access
from recognition.live import consumer as live_codes
from recognition.models import Analysis
from tests.recognition.live.test_consumer import close_code, live_socket, receive
from tests.recognition.test_consumers import socket_of

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def no_places_taken(redis_server):
    redis_server.client.flushdb()


async def test_nobody_gets_in_without_signing_in(user):
    socket = await live_socket(None)
    assert await close_code(socket) == NOT_SIGNED_IN


async def test_nobody_begins_before_they_have_agreed(user):
    text = await sync_to_async(consent.publish)("", "Read this.", user)
    socket = await live_socket(user)
    assert (await receive(socket))["code"] == "consent_needed"
    assert await close_code(socket) == 4403
    await sync_to_async(consent.accept)(user, text)
    socket = await live_socket(user)
    assert (await receive(socket))["type"] == "session.created"
    await socket.disconnect()


async def test_another_site_gets_no_socket(user):
    socket = await socket_of(user, b"http://evil.example", "/ws/live/")
    connected, _code = await socket.connect()
    await socket.wait()
    assert not connected


async def make_key(person, *scopes: str) -> str:
    _key, text = await sync_to_async(keys.create)(person, "test", list(scopes))
    return text


def socket_with(*headers: tuple[bytes, bytes], subprotocols=()) -> WebsocketCommunicator:
    """A program's socket, without a cookie."""
    return WebsocketCommunicator(
        application,
        "/ws/live/",
        headers=[(b"host", b"localhost"), *headers],
        subprotocols=list(subprotocols),
    )


async def test_a_key_opens_a_session_for_its_owner(user):
    text = await make_key(user, "analyze")
    socket = socket_with((b"authorization", f"Bearer {text}".encode()))
    assert await socket.connect() == (True, None)
    assert (await receive(socket))["type"] == "session.created"
    await socket.send_json_to({"type": "session.update", "keep": True})
    await receive(socket)
    assert await sync_to_async(Analysis.objects.filter(owner=user).count)() == 1
    await socket.disconnect()


async def test_a_browser_sends_the_key_as_a_subprotocol(user):
    text = await make_key(user, "analyze")
    socket = socket_with(
        (b"origin", b"https://lab.example.org"),
        subprotocols=["mien.live", f"mien.key.{text}"],
    )
    assert await socket.connect() == (True, "mien.live")
    assert (await receive(socket))["type"] == "session.created"
    await socket.disconnect()


@pytest.mark.parametrize("scopes", [["read"], []])
async def test_a_key_needs_the_scope(user, scopes):
    text = await make_key(user, *scopes)
    socket = socket_with((b"authorization", f"Bearer {text}".encode()))
    await socket.connect()
    assert await close_code(socket) == NOT_SIGNED_IN


async def test_a_key_that_does_not_exist_opens_nothing(user):
    socket = socket_with((b"authorization", b"Bearer mien_wrong"))
    await socket.connect()
    assert await close_code(socket) == NOT_SIGNED_IN


async def test_a_key_opens_no_socket_of_pages(user):
    text = await make_key(user, "read", "analyze")
    seen = []

    async def sockets(scope, receive, send):
        seen.append((scope["path"], scope["user"].is_authenticated))

    for path in ("/ws/analyses/", "/ws/live/"):
        origin = (b"origin", b"http://localhost")
        key = (b"authorization", f"Bearer {text}".encode())
        headers = [(b"host", b"localhost"), origin, key]
        scope = {"type": "websocket", "path": path, "headers": headers, "subprotocols": []}
        await access.key_or_session(sockets)(scope, None, None)
        assert await access.owner_of({**scope, "user": AnonymousUser()}) == user.pk
    # The socket of a page sees nobody; only that of live sessions asks for the key.
    assert seen == [("/ws/analyses/", False), ("/ws/live/", False)]


async def test_a_revoked_key_closes_its_session(user, monkeypatch):
    monkeypatch.setattr(live_codes, "TRUSTED_SECONDS", 0.1)
    text = await make_key(user, "analyze")
    socket = socket_with((b"authorization", f"Bearer {text}".encode()))
    await socket.connect()
    await receive(socket)
    key = await sync_to_async(keys.find)(text)
    await sync_to_async(keys.revoke)(key)
    assert await close_code(socket) == NOT_SIGNED_IN
