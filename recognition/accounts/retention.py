"""Deletes what is older than its owner, or the site, wants it to be."""

import logging
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from recognition import events
from recognition.audit import trail
from recognition.jobs.files import delete_files
from recognition.jobs.lease import UNFINISHED
from recognition.models import Analysis, Retention
from recognition.programs import idempotency, webhooks

logger = logging.getLogger(__name__)

CHOICES = (0, 1, 7, 30, 90, 365)  # days; 0: as long as the site keeps them
FILES = ("source", "photo", "thumbnail", "media")
AT_ONCE = 200  # rows in one transaction: others write meanwhile


def older_than(days: int) -> Q:
    """Entries that ended and were made so many days ago."""
    before = timezone.now() - timedelta(days=days)
    return Q(created_at__lt=before) & ~Q(status__in=UNFINISHED)


def choices(user: User) -> list[tuple[int, int]]:
    """The days that somebody can choose, each with how many of their entries would go now."""
    own, site = Analysis.objects.filter(owner=user), settings.RETENTION_DAYS
    offered = [days for days in CHOICES if not site or days < site]
    return [(days, own.filter(older_than(days)).count() if days else 0) for days in offered]


def chosen(user: User) -> int:
    """The days that somebody has chosen; 0 for none."""
    return Retention.objects.filter(user=user).values_list("days", flat=True).first() or 0


def choose(user: User, days: int) -> None:
    if days:
        Retention.objects.update_or_create(user=user, defaults={"days": days})
    else:
        Retention.objects.filter(user=user).delete()


def delete_expired() -> int:
    """Delete the entries whose time is over; gives their number. For workers."""
    count = 0
    if settings.RETENTION_DAYS:
        count += delete(older_than(settings.RETENTION_DAYS))
    for owner, days in Retention.objects.values_list("user", "days"):
        count += delete(older_than(days) & Q(owner_id=owner))
    if count:
        logger.info("%d entries were deleted because they had become old", count)
    trail.delete_old()
    return count


def delete_unkept() -> int:
    """Delete uploads that wait to be retried though their pictures weren't to be kept. For workers.

    Whatever ended the analysis without a result: a worker's error, or the owner.
    """
    ended = Analysis.objects.exclude(keep=Analysis.Keep.PICTURE).exclude(source="")
    found = list(ended.exclude(status__in=UNFINISHED).values_list("pk", "source"))
    for pk, source in found:
        if ended.exclude(status__in=UNFINISHED).filter(pk=pk).update(source=""):
            delete_files([source])
    return len(found)


def delete(which: Q) -> int:
    """Delete entries with their files, and their copies in webhooks and stored answers."""
    count = 0
    rows: Any = Analysis.objects.filter(which)
    while found := list(rows.values_list("pk", "owner_id", *FILES)[:AT_ONCE]):
        with transaction.atomic():
            Analysis.objects.filter(pk__in=[row[0] for row in found]).delete()
            for pk, owner, *_files in found:
                webhooks.forget(owner, str(pk))
                idempotency.forget(owner, str(pk))
        # Afterwards: a row without its file can't be shown, a file without its row is swept.
        delete_files(name for row in found for name in row[2:])
        for pk, owner, *_files in found:
            events.publish_deletion(owner, str(pk))
        count += len(found)
    return count
