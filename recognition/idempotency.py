"""Requests that are sent twice and done once: what an Idempotency-Key was answered with."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from recognition.models import IdempotentRequest

KEPT = timedelta(hours=24)
MAX_LENGTH = 255


class KeyReused(Exception):
    """The same key came with another request."""


class StillRunning(Exception):
    """The request with this key has not been answered yet."""


def fingerprint(parts: list[bytes]) -> str:
    """What makes two requests the same: a hash over the parts, each with its length."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()


def once(
    owner, key: str, request: str, answer: Callable[[], tuple[int, dict[str, Any]]]
) -> tuple[int, dict[str, Any], bool]:
    """Status and body for a request: of `answer()` the first time, later those kept, and True.

    Raises KeyReused where the key belongs to another request, StillRunning while the first one is
    being answered. An answer that raises is not kept: the request may be sent again.
    """
    IdempotentRequest.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    try:
        with transaction.atomic():
            kept = IdempotentRequest.objects.create(owner=owner, key=key, fingerprint=request)
    except IntegrityError:
        earlier = IdempotentRequest.objects.filter(owner=owner, key=key).first()
        if earlier is None or (earlier.fingerprint == request and earlier.status is None):
            raise StillRunning from None
        if earlier.fingerprint != request:
            raise KeyReused from None
        return earlier.status, earlier.body, True
    try:
        status, body = answer()
    except BaseException:
        kept.delete()
        raise
    IdempotentRequest.objects.filter(pk=kept.pk).update(status=status, body=body)
    return status, body, False
