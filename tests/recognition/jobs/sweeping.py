"""Claims and sweeps jobs like workers, without a broker."""

from dataclasses import replace
from unittest import mock

from recognition.jobs import lease, work
from recognition.jobs.kinds import KINDS, kind_of
from recognition.models import Job


def claim(job: Job) -> Job | None:
    """The job claimed by the fastest worker."""
    return lease.claim(kind_of(job).jobs().filter(pk=job.pk))


def sweep(kind: str, waiting: int = 0) -> list[str]:
    """The keys that the sweeper sends while this many messages wait in the queue."""
    sent: list[str] = []
    with mock.patch.object(work, "queue_length", return_value=waiting):
        work.sweep(replace(KINDS[kind], enqueue=sent.append))
    return sent
