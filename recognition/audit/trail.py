"""The audit log: entries are added and, once they are old, deleted; nothing changes one."""

import csv
import hashlib
import logging
from collections.abc import Iterable, Iterator
from datetime import timedelta

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError
from django.db.models import QuerySet
from django.utils import timezone

from recognition import describe
from recognition.audit.actions import BY_ADMINISTRATORS, VIEWS, WORDS
from recognition.models import AuditEntry

logger = logging.getLogger(__name__)

Entries = QuerySet[AuditEntry]

AT_ONCE = 15 * 60  # seconds in which looking at the same picture again is one entry
COLUMNS = ("at", "who", "action", "what", "subject", "address", "api_key")


def record(
    action: str, user_id: int, *, subject: str = "", address: str | None = None, key: str = ""
) -> None:
    """Add an entry. If the database can't take it, the log of the process has it."""
    entry = AuditEntry(user_id=user_id, action=action, subject=subject, address=address, key=key)
    if action in VIEWS.values() and not _is_first(entry):
        return
    try:
        entry.save(force_insert=True)
    except DatabaseError:
        logger.exception("Not in the audit log: %s of person %s", entry, user_id)


def _is_first(entry: AuditEntry) -> bool:
    """Whether nobody recorded the same within AT_ONCE; without Redis nobody did."""
    facts = (entry.user_id, entry.action, entry.subject, entry.address, entry.key)
    # A hash: nobody's address is to be read in Redis.
    name = hashlib.sha256(repr(facts).encode()).hexdigest()
    try:
        return cache.add(f"audit:{name}", 1, AT_ONCE)
    except redis.RedisError:
        return True


def entries_of(user_id: int) -> Entries:
    """What somebody, or a program with their key, did and looked at; newest first."""
    return AuditEntry.objects.filter(user_id=user_id)


def forget(user_id: int) -> None:
    """Remove a person from the log. What they did as an administrator stays, without a name."""
    own = entries_of(user_id)
    own.exclude(action__in=BY_ADMINISTRATORS).delete()
    own.update(user=None, address=None, key="")


def delete_old() -> int:
    """Delete the entries that are older than MIEN_AUDIT_DAYS; gives their number."""
    if not settings.AUDIT_DAYS:
        return 0
    before = timezone.now() - timedelta(days=settings.AUDIT_DAYS)
    return AuditEntry.objects.filter(at__lt=before).delete()[0]


def words_of(entry: AuditEntry) -> str:
    return WORDS.get(entry.action, entry.action)


def as_csv(entries: Entries) -> Iterator[str]:
    """The entries as lines of CSV, read bit by bit."""

    class Line:
        def write(self, text: str) -> str:
            return text

    writer = csv.writer(Line())
    yield writer.writerow(COLUMNS)
    yield from map(writer.writerow, _rows(entries.select_related("user").iterator(2000)))


def _rows(entries: Iterable[AuditEntry]) -> Iterator[list[str]]:
    for entry in entries:
        who = describe.as_text(entry.user.email if entry.user else "")  # it may be a formula
        yield [
            *[entry.at.isoformat(), who, entry.action, words_of(entry), entry.subject],
            *[entry.address or "", entry.key],
        ]
