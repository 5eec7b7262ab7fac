"""The limit on request bodies, announced or counted."""

import json

import pytest

from fer_site.body_limit import limit_body

pytestmark = pytest.mark.asyncio


async def ten(scope) -> int:
    return 10


async def answer_of(chunks: list[bytes], headers: list[tuple[bytes, bytes]] = ()) -> tuple:
    """Status and body from an application that reads a body of these chunks."""
    waiting = list(chunks)
    sent = []

    async def application(scope, receive, send):
        size = 0
        while True:
            message = await receive()
            size += len(message["body"])
            if not message["more_body"]:
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(size).encode()})

    async def receive():
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message):
        sent.append(message)

    await limit_body(application, ten)({"headers": list(headers)}, receive, send)
    return sent[0]["status"], sent[1]["body"]


async def test_a_body_up_to_the_limit_passes():
    assert await answer_of([b"12345", b"67890"]) == (200, b"10")


async def test_a_longer_body_is_refused_before_it_is_read_whole():
    status, body = await answer_of([b"123456", b"789012", b"never read"])

    assert status == 413
    assert json.loads(body)["code"] == "request_too_large"


async def test_an_announced_longer_body_is_refused_unread():
    status, _body = await answer_of([], [(b"content-length", b"11")])

    assert status == 413
