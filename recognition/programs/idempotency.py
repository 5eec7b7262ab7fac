"""Requests that are sent twice and done once: what an Idempotency-Key was answered with."""

import hashlib
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

from django.contrib.auth.models import User
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from recognition.models import IdempotentRequest

logger = logging.getLogger(__name__)

KEPT = timedelta(hours=24)
# A request that has not been answered for so long never will be: its process was killed.
ANSWERED_WITHIN = timedelta(minutes=10)
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
    owner: User, key: str, request: str, answer: Callable[[], tuple[int, dict[str, Any]]]
) -> tuple[int, dict[str, Any], bool]:
    """Status and body for a request: of `answer()` the first time, later those kept, and True.

    Raises KeyReused where the key belongs to another request, StillRunning while the first one is
    being answered. An answer that raises is not kept: the request may be sent again.
    """
    forget_old()
    try:
        with transaction.atomic():
            kept = IdempotentRequest.objects.create(owner=owner, key=key, fingerprint=request)
    except IntegrityError:
        earlier = IdempotentRequest.objects.filter(owner=owner, key=key).first()
        if earlier is None or (earlier.fingerprint == request and earlier.status is None):
            raise StillRunning from None
        if earlier.fingerprint != request:
            raise KeyReused from None
        return cast(int, earlier.status), cast(dict[str, Any], earlier.body), True
    try:
        status, body = answer()
    except BaseException:
        kept.delete()
        raise
    try:
        IdempotentRequest.objects.filter(pk=kept.pk).update(status=status, body=body)
    except (OperationalError, InterfaceError):  # it has been done: that must be told all the same
        logger.exception("The answer to an idempotent request was not kept")
    return status, body, False


def forget_old() -> None:
    """Delete the answers that were kept long enough, and requests that will have none."""
    now = timezone.now()
    lost = Q(status=None, created_at__lt=now - ANSWERED_WITHIN)
    IdempotentRequest.objects.filter(lost | Q(created_at__lt=now - KEPT)).delete()


def forget(owner_id: int, analysis_id: str) -> None:
    """Delete the answers that name an analysis, and with it its title."""
    own = IdempotentRequest.objects.filter(owner_id=owner_id)
    own.alias(text=Cast("body", TextField())).filter(text__contains=analysis_id).delete()
