"""Idempotent requests: stored responses by Idempotency-Key."""

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
# After this long without a response, the request's process must have been killed.
ANSWERED_WITHIN = timedelta(minutes=10)
MAX_LENGTH = 255


class KeyReused(Exception):
    """The key was used for a different request."""


class StillRunning(Exception):
    """The request with this key is still running."""


def fingerprint(parts: list[bytes]) -> str:
    """A hash of the parts with their lengths, which is the same for equal requests."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()


def once(
    owner: User, key: str, request: str, answer: Callable[[], tuple[int, dict[str, Any]]]
) -> tuple[int, dict[str, Any], bool]:
    """The response to a request: from `answer()` the first time, later the stored one and True.

    Raises KeyReused if the key belongs to a different request, StillRunning while the first one is
    running. If `answer()` raises, nothing is stored and the request can be repeated.
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
    except (
        OperationalError,
        InterfaceError,
    ):  # the work is done; the client must know
        logger.exception("Could not store the response to an idempotent request")
    return status, body, False


def forget_old() -> None:
    """Delete expired responses, and requests that will never get one."""
    now = timezone.now()
    lost = Q(status=None, created_at__lt=now - ANSWERED_WITHIN)
    IdempotentRequest.objects.filter(lost | Q(created_at__lt=now - KEPT)).delete()


def forget(owner_id: int, analysis_id: str) -> None:
    """Delete the responses that contain an analysis, and so its title."""
    own = IdempotentRequest.objects.filter(owner_id=owner_id)
    own.alias(text=Cast("body", TextField())).filter(text__contains=analysis_id).delete()
