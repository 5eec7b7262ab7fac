"""The socket of a person's analyses: only the own ones, only when signed in."""

import time

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser

from fer_site.asgi import application
from recognition import analyses, events
from recognition.consumers import NOT_SIGNED_IN, AnalysesConsumer
from tests.recognition.uploads import submit

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


def socket_of(person) -> WebsocketCommunicator:
    communicator = WebsocketCommunicator(AnalysesConsumer.as_asgi(), "/ws/analyses/")
    communicator.scope["user"] = person
    return communicator


async def test_the_owner_hears_of_every_change(user, astronaut, monkeypatch):
    monkeypatch.setattr(analyses, "NOT_WORTH_TELLING", 60)  # however busy the machine is
    socket = socket_of(user)
    await socket.connect()
    analysis = await sync_to_async(submit)(user, astronaut)
    await sync_to_async(analyses.run_analysis)(str(analysis.pk))
    heard = [(await socket.receive_json_from(timeout=5))["analysis"] for _ in range(2)]
    await socket.disconnect()

    assert [state["status"] for state in heard] == ["queued", "succeeded"]
    assert heard[0]["sequence"] < heard[1]["sequence"]
    assert heard[1]["face_count"] == 1


async def test_the_owner_hears_of_work_that_takes_a_while(user, astronaut, monkeypatch):
    monkeypatch.setattr(analyses, "analyze_source", lambda analysis: time.sleep(1))
    analysis = await sync_to_async(submit)(user, astronaut)
    socket = socket_of(user)
    await socket.connect()
    await sync_to_async(analyses.run_analysis)(str(analysis.pk))
    heard = await socket.receive_json_from(timeout=5)
    await socket.disconnect()

    assert heard["analysis"]["status"] == "running"


async def test_the_owner_hears_of_a_deletion(user, astronaut):
    analysis = await sync_to_async(submit)(user, astronaut)
    pk = str(analysis.pk)
    socket = socket_of(user)
    await socket.connect()
    await sync_to_async(analyses.delete_analysis)(analysis)

    assert await socket.receive_json_from(timeout=5) == {"type": "analysis.deleted", "id": pk}
    await socket.disconnect()


async def test_another_person_hears_nothing(user, other_user, astronaut):
    socket = socket_of(other_user)
    await socket.connect()
    await sync_to_async(submit)(user, astronaut)

    assert await socket.receive_nothing(timeout=0.5)
    await socket.disconnect()


async def test_a_stranger_is_turned_away():
    socket = socket_of(AnonymousUser())
    await socket.connect()
    closed = await socket.receive_output(timeout=5)
    await socket.disconnect()

    assert closed == {"type": "websocket.close", "code": NOT_SIGNED_IN}


async def test_another_site_s_page_cannot_connect():
    headers = [(b"host", b"localhost"), (b"origin", b"http://evil.example")]
    socket = WebsocketCommunicator(application, "/ws/analyses/", headers=headers)
    connected, _code = await socket.connect()
    await socket.wait()

    assert not connected


async def test_without_redis_the_work_goes_on(user, astronaut, redis_server):
    await sync_to_async(redis_server.stop)()
    try:
        analysis = await sync_to_async(submit)(user, astronaut)
        await sync_to_async(events.publish_change)(analysis)
    finally:
        await sync_to_async(redis_server.start)()
