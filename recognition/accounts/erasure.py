"""Erases people: at once who they were, and then, in a worker, everything that was theirs."""

import logging
from contextlib import suppress
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from recognition.accounts import retention
from recognition.audit import trail
from recognition.engine.errors import CodedError
from recognition.jobs.files import delete_files
from recognition.models import (
    Allowance,
    Analysis,
    ApiKey,
    Export,
    IdempotentRequest,
    Upload,
    Webhook,
)

logger = logging.getLogger(__name__)

CLOSED = "closed:"
"""How the user name of a person who is being erased begins; nobody can sign up with one."""

# Who somebody was, in apps that only web processes load.
IDENTITY = (
    "account.EmailAddress",
    "mfa.Authenticator",
    "socialaccount.SocialAccount",
    "admin.LogEntry",
)


class LastAdministrator(CodedError):
    """The only administrator can't leave."""

    def __init__(self) -> None:
        super().__init__(
            "last_administrator",
            "You are the only administrator. Make somebody else one first, in the administration.",
        )


def close(user: User) -> None:
    """Forget who a person is and lock them out; `erase_closed` does the rest.

    For web processes. Raises LastAdministrator.
    """
    with transaction.atomic():
        # Two administrators who leave at the same moment must not both find the other.
        list(User.objects.select_for_update().filter(is_staff=True))
        if is_last_administrator(user):
            raise LastAdministrator
        for label in IDENTITY:
            apps.get_model(label)._base_manager.filter(user_id=user.pk).delete()
        for model in (ApiKey, Webhook, IdempotentRequest):
            model._base_manager.filter(owner_id=user.pk).delete()
        _forget_name_in_log(user.pk)
        Allowance.objects.filter(user_id=user.pk).delete()
        _end_sessions(user.pk)
        user.groups.clear()
        user.user_permissions.clear()
        user.username = f"{CLOSED}{user.pk}"
        user.email = user.first_name = user.last_name = ""
        user.is_active = user.is_staff = user.is_superuser = False
        user.last_login = None
        user.set_unusable_password()
        user.save()


def _forget_name_in_log(pk: int) -> None:
    """What administrators have done to the account stays in their log, without its name."""
    about = apps.get_model("admin.LogEntry")._base_manager.filter(
        content_type__app_label="auth", content_type__model="user", object_id=str(pk)
    )
    about.update(object_repr="", change_message="")


def is_last_administrator(user: User) -> bool:
    administrators = User.objects.filter(is_staff=True, is_active=True)
    return user.is_staff and not administrators.exclude(pk=user.pk).exists()


def _end_sessions(pk: int) -> None:
    session = apps.get_model("sessions.Session")
    for row in session._base_manager.iterator(chunk_size=500):
        if row.get_decoded().get("_auth_user_id") == str(pk):
            row.delete()


def erase_closed() -> int:
    """Erase everyone whose account was closed; gives their number. For workers."""
    closed = User.objects.filter(username__startswith=CLOSED, is_active=False)
    for user in closed:
        _erase(user)
    return len(closed)


def _erase(user: User) -> None:
    retention.delete(Q(owner_id=user.pk))
    exports = Export.objects.filter(owner_id=user.pk)
    names = list(exports.values_list("file", flat=True))
    exports.delete()
    delete_files(names)
    for pk in Upload.objects.filter(owner_id=user.pk).values_list("pk", flat=True):
        with suppress(FileNotFoundError):
            (settings.UPLOADS_DIR / str(pk)).unlink()
    trail.forget(user.pk)
    user.delete()
    logger.info("An account was erased")


def what_goes(user: User) -> dict[str, Any]:
    """What the page lists: counts of what a person has."""
    own = Analysis.objects.filter(owner=user)
    return {
        "photos": own.filter(kind=Analysis.Kind.IMAGE).count(),
        "videos": own.filter(kind=Analysis.Kind.VIDEO).count(),
        "sessions": own.filter(kind=Analysis.Kind.WEBCAM).count(),
        "exports": Export.objects.filter(owner=user).count(),
        "keys": ApiKey.objects.filter(owner=user, revoked_at=None).count(),
        "webhooks": Webhook.objects.filter(owner=user).count(),
    }
