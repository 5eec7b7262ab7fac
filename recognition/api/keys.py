"""API keys: created and shown once, stored as a hash, and looked up for requests."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from recognition.models import ApiKey

MARK = "mien"
# How often a key's last use is stored: once per request would cost too much.
NOTED_EVERY = timedelta(minutes=1)


def create(
    owner: User, name: str, scopes: Sequence[str], expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key, and its text, which the owner sees only once."""
    prefix, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    text = f"{MARK}_{prefix}_{secret}"
    key = ApiKey.objects.create(
        owner=owner,
        name=name,
        prefix=prefix,
        digest=digest(text),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
    )
    return key, text


def find(text: str) -> ApiKey | None:
    """The valid key with this text, if its owner is active; updates its last use."""
    now = timezone.now()
    valid = ApiKey.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)
    # Looked up by its hash: a 256-bit secret needs no slow hash, and no comparison leaks timing.
    key = valid.select_related("owner").filter(digest=digest(text)).first()
    if key is None or not key.owner.is_active:
        return None
    if key.last_used_at is None or now - key.last_used_at > NOTED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key


def revoke(key: ApiKey) -> None:
    """Revoke a key; revoking it again changes nothing."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
