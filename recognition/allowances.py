"""How much a person or a key may ask of the site: its own limits, else everybody's."""

from django.conf import settings

from recognition.models import Allowance, ApiKey


def requests_per_minute(user, key: ApiKey | None) -> int:
    """The limit of a key, else of its person, else of everybody."""
    if key and key.requests_per_minute:
        return key.requests_per_minute
    return _own(user, "requests_per_minute") or settings.API_REQUESTS_PER_MINUTE


def upload_bytes(user, key: ApiKey | None = None) -> int:
    """The largest file of a key, else of its person; never above what the site receives at all."""
    own = (key and key.upload_mb) or _own(user, "upload_mb")
    return min(own * 1024**2, settings.MAX_UPLOAD_BYTES) if own else settings.MAX_UPLOAD_BYTES


def _own(user, name: str) -> int | None:
    if not user.is_authenticated:
        return None
    return Allowance.objects.filter(user=user).values_list(name, flat=True).first()
