"""The socket of a person's analyses: only their own, only while signed in."""

import time
from unittest.mock import Mock

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import Client

from fer_site.asgi import application
from recognition import events
from recognition.feed import NOT_SIGNED_IN, TRUSTED_SECONDS
from recognition.history import export_requests, exports
from recognition.jobs import work
from recognition.photos import analyses
from recognition.photos import tasks as photo_tasks
from tests.recognition.uploads import submit

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


def cookie_of(person) -> str:
    """The session of a person who has just signed in."""
    client = Client()
    client.force_login(person)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


async def socket_of(
    person, origin: bytes = b"http://localhost", path: str = "/ws/analyses/"
) -> WebsocketCommunicator:
    """A browser's socket on a page of `origin`, with `person`'s session if given."""
    headers = [(b"host", b"localhost"), (b"origin", origin)]
    if person:
        value = await sync_to_async(cookie_of)(person)
        headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={value}".encode()))
    return WebsocketCommunicator(application, path, headers=headers)


async def test_the_owner_hears_of_every_change(user, astronaut, monkeypatch):
    monkeypatch.setattr(work, "NOT_WORTH_TELLING", 60)  # however busy the machine is
    socket = await socket_of(user)
    await socket.connect()
    analysis = await sync_to_async(submit)(user, astronaut)
    await sync_to_async(photo_tasks.analyze)(str(analysis.pk))
    heard = [(await socket.receive_json_from(timeout=5))["analysis"] for _ in range(2)]
    await socket.disconnect()

    assert [state["status"] for state in heard] == ["queued", "succeeded"]
    assert heard[0]["sequence"] < heard[1]["sequence"]
    assert heard[1]["face_count"] == 1


async def test_the_owner_hears_of_work_that_takes_a_while(user, astronaut, monkeypatch):
    monkeypatch.setattr(analyses, "analyze_source", lambda analysis: time.sleep(1))
    analysis = await sync_to_async(submit)(user, astronaut)
    socket = await socket_of(user)
    await socket.connect()
    await sync_to_async(photo_tasks.analyze)(str(analysis.pk))
    heard = await socket.receive_json_from(timeout=5)
    await socket.disconnect()

    assert heard["analysis"]["status"] == "running"


async def test_the_owner_hears_of_a_deletion(user, astronaut):
    analysis = await sync_to_async(submit)(user, astronaut)
    pk = str(analysis.pk)
    socket = await socket_of(user)
    await socket.connect()
    await sync_to_async(analyses.delete_analysis)(analysis)

    assert await socket.receive_json_from(timeout=5) == {"type": "analysis.deleted", "id": pk}
    await socket.disconnect()


async def test_another_person_hears_nothing(user, other_user, astronaut):
    socket = await socket_of(other_user)
    await socket.connect()
    await sync_to_async(submit)(user, astronaut)
    export = await sync_to_async(export_requests.request_export)(user, "csv", {})
    await sync_to_async(exports.delete)(export)

    assert await socket.receive_nothing(timeout=0.5)
    await socket.disconnect()


def sign_out(person):
    Session.objects.all().delete()


def deactivate(person):
    type(person).objects.filter(pk=person.pk).update(is_active=False)


def change_password(person):
    person.set_password("another horse")
    person.save()


@pytest.mark.parametrize("end", [sign_out, deactivate, change_password])
async def test_a_socket_closes_soon_after_its_session_has_ended(user, end):
    socket = await socket_of(user)
    await socket.connect()
    await sync_to_async(end)(user)
    heard = await socket.receive_output(timeout=5)
    await socket.disconnect()

    assert heard == {"type": "websocket.close", "code": NOT_SIGNED_IN}


async def test_a_socket_stays_while_the_database_fails_and_closes_when_it_answers(
    user, monkeypatch
):
    socket = await socket_of(user)
    await socket.connect()
    broken = OperationalError("disk I/O error")
    monkeypatch.setattr(SessionStore, "load", Mock(side_effect=broken))
    assert await socket.receive_nothing(timeout=TRUSTED_SECONDS + 0.5)
    monkeypatch.undo()
    await sync_to_async(sign_out)(user)
    heard = await socket.receive_output(timeout=5)
    await socket.disconnect()

    assert heard == {"type": "websocket.close", "code": NOT_SIGNED_IN}


async def test_another_site_s_page_cannot_connect(user):
    socket = await socket_of(user, origin=b"http://evil.example")
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
