"""What must not be on a site that strangers use; with MIEN_PRODUCTION such a site doesn't start."""

import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import Error
from django.core.exceptions import ImproperlyConfigured

SHORTEST_KEY = 50  # characters, as Django's own check asks for
FEWEST_CHARACTERS = 5  # different ones
DEFAULT_KEYS = ("django-insecure-", "changeme", "change-me", "change_me", "secret", "example")


def debug_is_off() -> str | None:
    if settings.DEBUG:
        return "MIEN_DEBUG shows tracebacks and settings to visitors. Remove it or set it to false."
    return None


def secret_key_is_secret() -> str | None:
    key = settings.SECRET_KEY
    is_weak = len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_CHARACTERS
    if is_weak or key.lower().startswith(DEFAULT_KEYS):
        return (
            "The secret key is short or a default, so sessions could be forged. Set "
            "MIEN_SECRET_KEY to what this prints: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"
        )
    return None


def hosts_are_named() -> str | None:
    wild = [host for host in settings.ALLOWED_HOSTS if "*" in host or host.startswith(".")]
    if wild:
        return (
            f"MIEN_ALLOWED_HOSTS has a wildcard ({', '.join(wild)}), so links in e-mails could "
            "lead to another site. List each name of this site instead: mien.example.org"
        )
    return None


def data_is_closed() -> str | None:
    folder = Path(settings.DATA_DIR)
    status = folder.stat()
    # A volume, as on Kubernetes: its top is open to the pod's group, but no other account is there.
    if folder.is_mount() and status.st_uid != os.geteuid():
        return None
    if stat.S_IMODE(status.st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        return (
            f"Other accounts of this machine can get at the data folder {folder}, with everyone's "
            f"photos. Close it: chmod 700 {folder}"
        )
    return None


CHECKS: dict[str, Callable[[], str | None]] = {
    "mien.E001": debug_is_off,
    "mien.E002": secret_key_is_secret,
    "mien.E003": hosts_are_named,
    "mien.E004": data_is_closed,
}
"""By the id that Django shows: a sentence that says what to do, or None if all is well."""


def problems() -> dict[str, str]:
    """What is wrong for production, as sentences by id; nothing without MIEN_PRODUCTION."""
    if not settings.PRODUCTION:
        return {}
    return {name: text for name, check in CHECKS.items() if (text := check())}


def check_production(app_configs: Any, **kwargs: Any) -> Iterable[Error]:
    """The same for `manage.py check`."""
    return [Error(text, id=name) for name, text in problems().items()]


def refuse_unsafe_start() -> None:
    """Raise ImproperlyConfigured with all that is wrong."""
    if found := problems():
        reasons = "\n".join(f"- {text}" for text in found.values())
        raise ImproperlyConfigured(
            f"MIEN_PRODUCTION is set, and Mien won't start like this:\n{reasons}"
        )
