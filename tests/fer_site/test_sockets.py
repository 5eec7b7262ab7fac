"""Every WebSocket of the site, opened by people who aren't allowed."""

import pytest

from recognition.feed import NOT_SIGNED_IN
from recognition.routing import websocket_urlpatterns
from tests.recognition.test_consumers import socket_of

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

SOCKETS = [f"/{socket.pattern}" for socket in websocket_urlpatterns]


async def is_turned_away(person, path: str) -> bool:
    socket = await socket_of(person, path=path)
    await socket.connect()
    closed = await socket.receive_output(timeout=5)
    await socket.disconnect()
    return closed == {"type": "websocket.close", "code": NOT_SIGNED_IN}


@pytest.mark.parametrize("path", SOCKETS)
async def test_a_stranger_is_turned_away(path):
    assert await is_turned_away(None, path)


async def test_who_is_no_administrator_is_turned_away_from_trainings(user):
    assert await is_turned_away(user, "/ws/training/")
