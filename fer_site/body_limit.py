"""Limits the size of request bodies while they stream in."""

import io
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import IO, Any

from django.core.handlers.asgi import ASGIHandler

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]
LimitOf = Callable[[dict[str, Any]], Awaitable[int]]


class MeasuringHandler(ASGIHandler):
    """Django's handler, which also tells the length of bodies that were sent in chunks.

    Django has the whole body in a file by then, but parsers read only as many bytes as the header
    announces.
    """

    def create_request(self, scope: Mapping[str, Any], body_file: IO[bytes]) -> Any:
        if not any(name == b"content-length" for name, _value in scope["headers"]):
            length = body_file.seek(0, io.SEEK_END)
            body_file.seek(0)
            header = (b"content-length", str(length).encode())
            scope = {**scope, "headers": [*scope["headers"], header]}
        return super().create_request(scope, body_file)


class BodyTooLarge(Exception):
    """The body is larger than the limit."""


def limit_body(application: Application, limit_of: LimitOf) -> Application:
    """`application` with a limit on the body's bytes; a larger body gets 413.

    `limit_of` returns the limit for a request's scope.

    Django reads the whole body into a temporary file before any view or upload handler runs and
    has no limit for files, so the disk must be protected here. A chunked body has no length, so
    its bytes are counted.
    """

    async def limited(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        limit = await limit_of(scope)
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > limit:
            await refuse(send, limit)
            return

        received = 0

        async def counting_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise BodyTooLarge
            return message

        try:
            await application(scope, counting_receive, send)
        except BodyTooLarge:  # raised while the body is read, so no response has started
            await refuse(send, limit)

    return limited


async def refuse(send: Send, limit: int) -> None:
    message = (
        f"This request is larger than {limit // 1024**2} MB. "
        "Send fewer or smaller files at a time; nothing was stored."
    )
    problem = {
        "type": "about:blank",
        "title": "Content Too Large",
        "status": 413,
        "code": "request_too_large",
        "detail": message,
    }
    body = json.dumps(problem).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
