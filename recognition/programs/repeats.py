"""Requests with an `Idempotency-Key` run once, however often they are sent."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from recognition.api.people import person_of
from recognition.api.problems import Problem
from recognition.programs import idempotency

IDEMPOTENCY_KEY = OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)

Answer = tuple[int, dict[str, Any]]
"""A status and a body."""


def answer_once(
    request: Request, parts: Callable[[], list[bytes]], answer: Callable[[str], Answer]
) -> Answer:
    """The response of `answer`, or the stored one of an equal earlier request.

    `parts` identify the request; they are computed only if there is a key. `answer` gets the name
    of the request (see `idempotency.once`), "" without a key.
    """
    key = request.headers.get("Idempotency-Key", "").strip()
    if not key:
        return answer("")
    if len(key) > idempotency.MAX_LENGTH or not key.isprintable():
        detail = "An Idempotency-Key has at most 255 characters, all of them printable."
        raise Problem(400, "invalid_idempotency_key", detail)
    same = idempotency.fingerprint(parts())
    try:
        status, body, _ = idempotency.once(person_of(request), key, same, answer)
    except idempotency.KeyReused:
        detail = "This Idempotency-Key was used for a different request. Use a new one."
        raise Problem(409, "idempotency_key_reused", detail) from None
    except idempotency.StillRunning:
        detail = "The request with this Idempotency-Key is still running."
        raise Problem(409, "request_in_progress", detail, wait=1) from None
    return status, body
