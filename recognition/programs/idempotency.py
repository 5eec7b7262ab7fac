"""Idempotent requests: stored responses by Idempotency-Key."""

import hashlib
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast
from uuid import UUID, uuid4, uuid5

from django.contrib.auth.models import User
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils import timezone

from recognition.models import IdempotentRequest

logger = logging.getLogger(__name__)

KEPT = timedelta(hours=24)
# After this long without a response, the request's process is taken for killed.
ANSWERED_WITHIN = timedelta(seconds=30)
MAX_LENGTH = 255
NAMESPACE = UUID("6d69656e-0000-5000-8000-000000000000")  # of the keys that requests give to rows


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
    owner: User, key: str, request: str, answer: Callable[[str], tuple[int, dict[str, Any]]]
) -> tuple[int, dict[str, Any], bool]:
    """The response to a request: from `answer` the first time, later the stored one and True.

    `answer` gets a name for the request. It gets the same one again if its process was killed
    before there was a response; what it makes should have keys that follow from the name (see
    `key_of`), so that nothing is made twice.

    Raises KeyReused if the key belongs to a different request, StillRunning while the first one is
    running. If `answer` raises, nothing is stored and the request can be repeated.
    """
    forget_old()
    try:
        with transaction.atomic():
            kept = IdempotentRequest.objects.create(owner=owner, key=key, fingerprint=request)
    except IntegrityError:
        earlier = IdempotentRequest.objects.filter(owner=owner, key=key).first()
        if earlier is not None and earlier.fingerprint != request:
            raise KeyReused from None
        if earlier is None or (earlier.status is None and not _take_over(earlier)):
            raise StillRunning from None
        if earlier.status is not None:
            return earlier.status, cast(dict[str, Any], earlier.body), True
        kept = earlier
    try:
        status, body = answer(f"{owner.pk} {kept.pk} {key} {request}")
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


def _take_over(kept: IdempotentRequest) -> bool:
    """Whether this process may answer a request whose first process must have been killed."""
    now = timezone.now()
    same = IdempotentRequest.objects.filter(pk=kept.pk, status=None, created_at=kept.created_at)
    return kept.created_at < now - ANSWERED_WITHIN and bool(same.update(created_at=now))


def key_of(name: str, number: int = 0) -> UUID:
    """The key of the row with this number that a request makes; a new one without a name."""
    return uuid5(NAMESPACE, f"{name} {number}") if name else uuid4()


def forget_old() -> None:
    """Delete expired responses."""
    IdempotentRequest.objects.filter(created_at__lt=timezone.now() - KEPT).delete()


def forget(owner_id: int, analysis_id: str) -> None:
    """Delete the responses that contain an analysis, and so its title."""
    own = IdempotentRequest.objects.filter(owner_id=owner_id)
    own.alias(text=Cast("body", TextField())).filter(text__contains=analysis_id).delete()
