"""What administrators do with jobs of any kind: try them again, cancel them, pause their queues."""

import functools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse

import recognition.events
import recognition.tasks
from recognition import analyses, jobs, pauses, submissions
from recognition.models import Analysis, Export, Job
from recognition.tasks import BROKER_TROUBLE
from training import events, launch, tasks
from training.models import Dataset, Evaluation, ModelImport, TrainingRun

AnyJob = Analysis | Job

MOST_AT_ONCE = 500
ALWAYS = Q(pk__isnull=False)


@dataclass(frozen=True)
class Kind:
    """A kind of jobs. `retry` and `cancel` answer whether there was anything to do.

    `retryable` are those that can be tried again once they have failed or were canceled; `page`
    gives the address of an administrators' page that shows a job.
    """

    model: type[AnyJob]
    retry: Callable[[Any], bool]
    cancel: Callable[[Any], bool]
    retryable: Q = ALWAYS
    jobs: Q = ALWAYS
    person: str = "created_by"
    related: tuple[str, ...] = ()
    page: Callable[[Any], str] | None = None

    @property
    def queue(self) -> str:
        return self.model.queue

    def rows(self) -> "models.QuerySet[Any]":
        """All of them, each with its person, and `can_retry`."""
        rows = self.model.objects.filter(self.jobs).select_related(self.person, *self.related)
        return rows.annotate(can_retry=self.retryable)


def retry(job: Job, send: Callable[[str], None], publish: Callable[[Any], None], **values) -> bool:
    if not jobs.enqueue_again(job, **values):
        return False
    transaction.on_commit(functools.partial(send, str(job.pk)))
    publish(job)
    return True


def cancel(job: Job, publish: Callable[[Any], None]) -> bool:
    if not jobs.cancel(job):
        return False
    publish(job)
    return True


def simple(publish: Callable[[Any], None], send: Callable[[str], None], **values) -> dict[str, Any]:
    """The two functions of a kind without peculiarities."""
    return {
        "retry": functools.partial(retry, send=send, publish=publish, **values),
        "cancel": functools.partial(cancel, publish=publish),
    }


KINDS: dict[str, Kind] = {
    "analysis": Kind(
        Analysis,
        retry=submissions.retry,
        cancel=analyses.cancel,
        retryable=~Q(source=""),  # the upload of a photo that cannot be read is not kept
        jobs=~Q(kind=Analysis.Kind.WEBCAM),
        person="owner",
    ),
    "export": Kind(
        Export,
        **simple(recognition.events.publish_export, recognition.tasks.enqueue_export),
        person="owner",
    ),
    "training": Kind(
        TrainingRun,
        retry=launch.resume,
        cancel=launch.cancel,
        related=("dataset",),
        page=lambda run: reverse("training-run", args=[run.pk]),
    ),
    "check": Kind(
        Dataset,
        **simple(events.publish_dataset, tasks.enqueue_check),
        page=lambda dataset: reverse("training-datasets"),
    ),
    "evaluation": Kind(
        Evaluation,
        **simple(events.publish_evaluation, tasks.enqueue_evaluation),
        related=("version", "dataset"),
        page=lambda evaluation: reverse("model-version", args=[evaluation.version.number]),
    ),
    "import": Kind(
        ModelImport,
        **simple(events.publish_import, tasks.enqueue_import, step=ModelImport.Step.WAITING),
        retryable=Q(error_code__in=["", "gave_up"]),  # a file that was refused is not kept
        page=lambda found: reverse("models"),
    ),
}
"""The kinds of jobs by the names that addresses use."""

PAUSABLE = {kind.queue for kind in KINDS.values()}
"""Frames of webcams are no jobs: nobody wants one that has waited."""


def retry_failed(kind: Kind, code: str) -> int:
    """Try those again that failed with this code, at most MOST_AT_ONCE; gives their number."""
    failed = kind.rows().filter(kind.retryable, status=Job.Status.FAILED, error_code=code)
    return sum(kind.retry(job) for job in failed.order_by("created_at")[:MOST_AT_ONCE])


def pause(queue: str, user) -> None:
    """Let no job of this queue begin; those that run end as they would."""
    pauses.switch(queue, True, user)


def resume(queue: str, user) -> None:
    """Let the jobs of this queue begin again: the sweepers send their messages at once."""
    if pauses.switch(queue, False, user):
        with suppress(*BROKER_TROUBLE):  # beat sends them every few seconds anyway
            recognition.tasks.requeue_stale.delay()
            tasks.requeue_stale.delay()
