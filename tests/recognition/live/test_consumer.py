"""The live protocol in one process with a real Redis: limits, codes, refusals."""

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.sessions.models import Session
from django.db import OperationalError

from recognition.feed import NOT_SIGNED_IN
from recognition.live import consumer as live_codes
from recognition.live import recordings, session
from recognition.models import Analysis
from recognition.photos import analyses
from tests.recognition.live.live_client import checked, frame, picture
from tests.recognition.test_consumers import socket_of

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def no_places_taken(redis_server):
    redis_server.client.flushdb()


async def live_socket(person, origin: bytes = b"http://localhost") -> WebsocketCommunicator:
    socket = await socket_of(person, origin, "/ws/live/")
    await socket.connect()
    return socket


async def receive(socket: WebsocketCommunicator) -> dict:
    return checked(await socket.receive_from(timeout=10))


async def close_code(socket: WebsocketCommunicator, seconds: float = 10) -> int:
    """The server's close code, ignoring earlier messages."""
    while True:
        event = await socket.receive_output(seconds)
        if event["type"] == "websocket.close":
            return event["code"]


async def test_the_first_message_names_protocol_limits_and_settings(user):
    socket = await live_socket(user)
    created = await receive(socket)
    await socket.disconnect()
    assert created["type"] == "session.created"
    assert created["protocol"] == 1
    assert created["settings"] == {
        "rate": 30,
        "min_face": 60,
        "smoothing": 0.3,
        "keep": False,
        "mesh": False,
    }
    assert created["limits"]["frame_bytes"] == 512 * 1024


async def test_settings_are_changed(user):
    socket = await live_socket(user)
    await receive(socket)
    await socket.send_to(text_data='{"type": "session.update", "rate": 5, "smoothing": 0}')
    updated = await receive(socket)
    await socket.disconnect()
    assert updated["settings"]["rate"] == 5
    assert updated["kept_url"] is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("no json", "bad_message"),
        ("[1]", "bad_message"),
        ('"session.close"', "bad_message"),
        ("{}", "bad_message"),
        ("[" * 100_000, "bad_message"),
        ('{"type": "session.explode"}', "bad_message"),
        ('{"type": ["session.close"]}', "bad_message"),
        ('{"type": "session.update", "rate": 1000}', "bad_setting"),
        ('{"type": "session.update", "rate": NaN}', "bad_setting"),
        ('{"type": "session.update", "min_face": null}', "bad_setting"),
        ('{"type": "session.update", "zoom": 2}', "bad_setting"),
    ],
)
async def test_a_message_that_makes_no_sense_is_an_error_and_the_session_goes_on(user, text, code):
    socket = await live_socket(user)
    await receive(socket)
    await socket.send_to(text_data=text)
    error = await receive(socket)
    await socket.send_to(text_data='{"type": "session.update"}')
    updated = await receive(socket)
    await socket.disconnect()
    assert (error["type"], error["code"]) == ("session.error", code)
    assert updated["type"] == "session.updated"


async def test_five_bad_frames_close_the_socket_after_their_replies(user):
    socket = await live_socket(user)
    await receive(socket)
    for sequence in range(5):
        await socket.send_to(bytes_data=frame(sequence, b""))
    errors = [await receive(socket) for _ in range(5)]
    assert {error["code"] for error in errors} == {"empty_frame"}
    assert await close_code(socket) == live_codes.BAD_FRAMES


async def test_a_message_without_a_sequence_number_has_none_in_its_reply(user):
    socket = await live_socket(user)
    await receive(socket)
    await socket.send_to(bytes_data=b"abc")
    error = await receive(socket)
    await socket.disconnect()
    assert (error["code"], error["sequence"]) == ("bad_sequence", None)


@pytest.mark.parametrize("kind", ["bytes_data", "text_data"])
async def test_an_oversized_message_closes_the_socket(user, settings, kind):
    settings.LIVE_FRAME_BYTES = 1000
    socket = await live_socket(user)
    await receive(socket)
    await socket.send_to(**{kind: b"x" * 1005 if kind == "bytes_data" else "x" * 1005})
    assert await close_code(socket) == live_codes.TOO_LARGE


async def test_an_idle_session_is_closed(user, settings):
    settings.LIVE_IDLE_SECONDS = 0.3
    socket = await live_socket(user)
    await receive(socket)
    assert await close_code(socket) == live_codes.IDLE


async def test_a_person_has_only_so_many_sessions(user, other_user, settings):
    settings.LIVE_SESSIONS_PER_USER = 2
    sockets = [await live_socket(user) for _ in range(3)]
    assert (await receive(sockets[0]))["type"] == "session.created"
    assert await close_code(sockets[2]) == live_codes.TOO_MANY

    another = await live_socket(other_user)
    assert (await receive(another))["type"] == "session.created"
    for socket in (*sockets[:2], another):
        await socket.disconnect()


async def test_a_place_becomes_free_when_its_session_ends(user, settings):
    settings.LIVE_SESSIONS_PER_USER = 1
    for _ in range(2):
        socket = await live_socket(user)
        assert (await receive(socket))["type"] == "session.created"
        await socket.disconnect()


async def test_a_full_server_says_that_it_is_busy(user, other_user, settings):
    settings.LIVE_SESSIONS = 1
    first = await live_socket(user)
    await receive(first)
    assert await close_code(await live_socket(other_user)) == live_codes.BUSY
    await first.disconnect()


async def test_signing_out_closes_the_socket_within_five_seconds(user):
    socket = await live_socket(user)
    await receive(socket)
    await sync_to_async(Session.objects.all().delete)()
    assert await close_code(socket, 5) == NOT_SIGNED_IN


async def test_deactivation_closes_the_socket_within_five_seconds(user):
    socket = await live_socket(user)
    await receive(socket)
    user.is_active = False
    await sync_to_async(user.save)()
    assert await close_code(socket, 5) == NOT_SIGNED_IN


async def test_a_silent_worker_is_told_and_the_session_goes_on(user, settings, astronaut):
    settings.FRAME_SECONDS = 0.3  # no worker runs
    socket = await live_socket(user)
    await receive(socket)
    for sequence in (1, 2):
        await socket.send_to(bytes_data=frame(sequence, picture(astronaut)))
        error = await receive(socket)
        assert (error["code"], error["sequence"]) == ("timeout", sequence)
    await socket.disconnect()


async def test_more_frames_than_a_person_may_send_are_skipped(user, settings, astronaut):
    settings.LIVE_FRAMES_PER_SECOND = 0
    socket = await live_socket(user)
    await receive(socket)
    await socket.send_to(bytes_data=frame(1, picture(astronaut)))
    skipped = await receive(socket)
    await socket.disconnect()
    assert (skipped["type"], skipped["reason"]) == ("frame.skipped", "too_fast")


async def test_closing_gives_a_summary(user):
    socket = await live_socket(user)
    await receive(socket)
    await socket.send_to(bytes_data=frame(1, b""))
    await receive(socket)
    await socket.send_to(text_data=json.dumps({"type": "session.close"}))
    closed = await receive(socket)
    assert closed["frames"] == {"received": 1, "analyzed": 0, "skipped": 0, "failed": 1}
    assert closed["kept_url"] is None
    assert await close_code(socket) == 1000


async def test_a_session_is_kept_only_on_request(user):
    socket = await live_socket(user)
    await receive(socket)
    assert await Analysis.objects.acount() == 0
    await socket.send_to(text_data='{"type": "session.update", "keep": true}')
    updated = await receive(socket)
    analysis = await Analysis.objects.aget()
    assert updated["kept_url"] == analysis.get_absolute_url()
    assert (analysis.kind, analysis.status) == ("webcam", "running")

    await socket.send_to(text_data='{"type": "session.update", "keep": false}')
    await receive(socket)
    await socket.disconnect()
    analysis = await Analysis.objects.aget()
    assert analysis.status == "succeeded"


async def test_a_session_that_cannot_be_stored_says_so_and_goes_on(user, monkeypatch):
    def fail(*arguments):
        raise OperationalError("disk full")

    monkeypatch.setattr(recordings, "begin", fail)
    socket = await live_socket(user)
    await receive(socket)
    await socket.send_to(text_data='{"type": "session.update", "keep": true}')
    error = await receive(socket)
    await socket.send_to(text_data='{"type": "session.update"}')
    updated = await receive(socket)
    await socket.disconnect()
    assert (error["type"], error["code"]) == ("session.error", "keep_failed")
    assert updated["settings"]["keep"] is False


async def test_a_session_that_was_deleted_says_so_and_is_not_kept_anew_unasked(user, monkeypatch):
    monkeypatch.setattr(live_codes, "STORE_SECONDS", 0.1)
    socket = await live_socket(user)
    await receive(socket)
    await socket.send_to(text_data='{"type": "session.update", "keep": true}')
    await receive(socket)
    await sync_to_async(analyses.delete_analysis)(await Analysis.objects.aget())
    told = await receive(socket)
    await socket.send_to(text_data='{"type": "session.update", "smoothing": 1}')
    updated = await receive(socket)
    await socket.disconnect()
    for message in (told, updated):
        assert (message["type"], message["kept_url"]) == ("session.updated", None)
        assert message["settings"]["keep"] is False
    assert (told["settings"]["smoothing"], updated["settings"]["smoothing"]) == (0.3, 1)
    assert not await Analysis.objects.aexists()


async def test_after_the_goodbye_nothing_more_is_taken(user):
    socket = await live_socket(user)
    await receive(socket)
    await socket.send_to(text_data='{"type": "session.close"}')
    for sequence in range(5):
        await socket.send_to(bytes_data=frame(sequence, b""))
    closed = await receive(socket)
    assert closed["type"] == "session.closed"
    assert closed["frames"]["received"] == 0
    assert await close_code(socket) == 1000


async def test_a_client_that_reads_nothing_is_closed(user, monkeypatch):
    monkeypatch.setattr(session, "MOST_REPLIES", 3)
    socket = await live_socket(user)
    await receive(socket)
    for sequence in range(1, 6):  # the first waits for a worker, and later replies must wait for it
        await socket.send_to(bytes_data=frame(sequence, b"picture"))
    assert await close_code(socket) == live_codes.UNREAD


async def test_an_error_of_the_server_closes_the_socket_in_words(user, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("a bug")

    monkeypatch.setattr(session.LiveSession, "expire", fail)
    socket = await live_socket(user)
    await receive(socket)
    assert await close_code(socket) == live_codes.BROKEN


async def test_a_kept_session_ends_with_its_socket(user):
    socket = await live_socket(user)
    await receive(socket)
    await socket.send_to(text_data='{"type": "session.update", "keep": true}')
    await receive(socket)
    await socket.disconnect()
    for _ in range(50):
        if (await Analysis.objects.aget()).status == "succeeded":
            break
        await asyncio.sleep(0.1)
    assert (await Analysis.objects.aget()).status == "succeeded"
