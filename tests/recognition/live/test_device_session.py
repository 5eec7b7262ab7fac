"""A live session whose frames the browser reads: the same replies, limits and kept rows."""

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError

from recognition.live import consumer as live_codes
from recognition.models import Analysis, ModelVersion
from recognition.registry import registry
from tests.recognition.live.test_consumer import close_code, live_socket, receive
from tests.recognition.live.test_numbers import face, message

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def no_places_taken(redis_server):
    redis_server.client.flushdb()


async def begin(user, **settings):
    await sync_to_async(registry.register_shipped_model)()
    socket = await live_socket(user)
    await receive(socket)
    if settings:
        await socket.send_to(text_data=json.dumps({"type": "session.update", **settings}))
        assert (await receive(socket))["type"] == "session.updated"
    return socket


async def send(socket, content: dict) -> dict:
    """Send faces and wait for the reply."""
    await socket.send_to(text_data=json.dumps({"type": "frame.faces", **content}))
    return await receive(socket)


async def test_faces_come_back_as_a_result(user):
    socket = await begin(user)
    reply = await send(socket, message())
    await socket.disconnect()

    assert (reply["type"], reply["sequence"], reply["model_version"]) == ("frame.result", 7, 1)
    (found,) = reply["faces"]
    assert (found["track"], found["emotion"]) == (1, "happy")
    assert (found["measures"], found["covered"], found["quality"]) == (None, 0.012, [])


async def test_faces_that_make_no_sense_are_an_error_and_five_close_the_socket(user):
    socket = await begin(user)
    replies = [await send(socket, face(score=2) | {"sequence": at}) for at in range(5)]

    assert {reply["code"] for reply in replies} == {"bad_faces"}
    assert [reply["sequence"] for reply in replies] == list(range(5))
    assert await close_code(socket) == live_codes.BAD_FRAMES


async def test_the_version_must_be_one_of_this_site(user):
    socket = await begin(user)
    reply = await send(socket, message(model_version=77))
    await socket.disconnect()

    assert (reply["type"], reply["code"]) == ("frame.error", "bad_faces")
    assert "77" in reply["message"]


async def test_a_kept_session_has_the_faces_and_the_version_that_read_them(user):
    socket = await begin(user, keep=True)
    for at in range(3):
        await send(socket, message(sequence=at))
        await asyncio.sleep(0.05)
    await socket.send_to(text_data='{"type": "session.close"}')
    closed = await receive(socket)
    await socket.disconnect()

    kept = await Analysis.objects.select_related("model_version").aget(owner=user)
    assert closed["kept_url"] == kept.get_absolute_url()
    assert kept.model_version.number == 1
    assert (kept.width, kept.height, kept.frame_count) == (640, 480, 3)
    row = await kept.faces.afirst()
    assert (row.emotion, row.covered, row.measures) == ("happy", 0.012, None)


async def test_a_person_sends_no_more_than_the_limit_over_all_sockets(user, settings):
    settings.LIVE_FRAMES_PER_SECOND = 0
    socket = await begin(user)
    reply = await send(socket, message())
    await socket.disconnect()

    assert (reply["type"], reply["reason"]) == ("frame.skipped", "too_fast")


async def test_while_the_database_is_away_faces_are_refused_kindly(user, monkeypatch):
    socket = await begin(user)

    def fail(*_arguments, **_options):
        raise OperationalError

    monkeypatch.setattr(ModelVersion.objects, "filter", fail)
    away = await send(socket, message(sequence=1))
    monkeypatch.undo()
    back = await send(socket, message(sequence=2))
    await socket.disconnect()

    assert (away["type"], away["code"]) == ("frame.error", "unavailable")
    assert back["type"] == "frame.result"
