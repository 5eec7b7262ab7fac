"""Limits of a person or key: their own, or else the site's."""

from typing import TypedDict

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, Sum

from recognition.models import Allowance, Analysis, ApiKey, Export, Face

Person = User | AnonymousUser


def requests_per_minute(user: Person, key: ApiKey | None) -> int:
    """The limit of the key, or else of the person, or else of the site."""
    own = _own(user, key, "requests_per_minute")
    return settings.API_REQUESTS_PER_MINUTE if own is None else own


def upload_bytes(user: User, key: ApiKey | None = None) -> int:
    """The largest file of the key, or else of the person; never above the site's limit."""
    own = _own(user, key, "upload_mb")
    everybody = settings.MAX_UPLOAD_BYTES
    return everybody if own is None else min(own * 1024**2, everybody)


def video_bytes(user: Person) -> int:
    """The largest video of a person; never above the site's limit."""
    own = _own(user, None, "video_mb")
    everybody = settings.MAX_VIDEO_BYTES
    return everybody if own is None else min(own * 1024**2, everybody)


def _own(user: Person, key: ApiKey | None, name: str) -> int | None:
    """A limit set by an administrator, which may be 0."""
    if key and (limit := getattr(key, name)) is not None:
        return limit
    if not user.is_authenticated:
        return None
    return Allowance.objects.filter(user=user).values_list(name, flat=True).first()


class Usage(TypedDict):
    """A person's used storage in bytes, including exports."""

    analyses: int
    faces: int
    stored_bytes: int


def usage(owner: User) -> Usage:
    own = Analysis.objects.filter(owner=owner)
    sums = own.aggregate(analyses=Count("pk"), stored_bytes=Sum("stored_bytes", default=0))
    exports = Export.objects.filter(owner=owner).aggregate(size=Sum("size", default=0))
    return {
        "analyses": sums["analyses"],
        "faces": Face.objects.filter(owner=owner).count(),
        "stored_bytes": sums["stored_bytes"] + exports["size"],
    }
