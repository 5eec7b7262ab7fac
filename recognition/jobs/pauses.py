"""Queues that an administrator has paused: their jobs wait, those that run end as they would.

The database says so, and a job is claimed only while its queue is not paused: that holds for all
workers on all hosts at once, whatever restarts meanwhile. A worker drops the message of a job that
it may not claim; the sweeper sends another one once the queue is resumed.
"""

from datetime import datetime

from django.contrib.auth.models import User
from django.utils import timezone

from recognition.models import QueueSwitch


def is_paused(queue: str) -> bool:
    return QueueSwitch.objects.filter(queue=queue, paused=True).exists()


def switch(queue: str, paused: bool, user: User) -> bool:
    """Pause a queue or resume it; False if it was so already."""
    values = {"paused": paused, "changed_at": timezone.now(), "changed_by": user}
    row, created = QueueSwitch.objects.get_or_create(queue=queue, defaults=values)
    if created:
        return paused
    return bool(QueueSwitch.objects.filter(pk=row.pk, paused=not paused).update(**values))


def lost_before(queue: str, moment: datetime) -> datetime | None:
    """Jobs that were queued before this may have lost their message; None while they have to wait.

    `moment` is what the sweeper would say of a queue that was never paused. What was queued before
    a resumption may have been dropped by a worker.
    """
    switched = QueueSwitch.objects.filter(queue=queue).first()
    if switched is None:
        return moment
    return None if switched.paused else max(moment, switched.changed_at)
