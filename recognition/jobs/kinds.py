"""The kinds of jobs. Each room registers its own, as models are registered in the admin."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

from recognition.models import Job, ModelVersion

ALWAYS = Q(pk__isnull=False)


@dataclass(frozen=True)
class Kind:
    """A kind of jobs: how one is enqueued, told of, described, retried and canceled.

    A kind that fills the first four fields works as all do. The others are for what is different
    about it.
    """

    name: str
    """What addresses and the API call it."""
    model: type[Job]
    """Its rows; `model.queue` names the Celery queue that carries them out."""
    enqueue: Callable[[str], None]
    """Sends the message for a job's primary key."""
    publish: Callable[[Any], None]
    """Tells open pages the state of a job."""

    label: str = ""
    """What pages call one of them."""
    most_attempts: int = 3
    gave_up: str = "This failed three times. Try again later."
    """The error of a job whose last attempt failed unexpectedly."""
    waiting: dict[str, Any] = field(default_factory=dict)
    """What else is written to a row that goes back into the queue."""
    on_end: Callable[[Any], None] = lambda job: None
    """Called in the transaction in which a job succeeds or fails."""
    files: tuple[str, ...] = ()
    """The file fields whose folders hold nothing but this kind's files."""

    rows: Q = ALWAYS
    """Which rows of the model are jobs of this kind."""
    matches: Callable[[Any], bool] = lambda job: True
    """The same for a row that is loaded, where kinds share a model."""
    other_queue: str = ""
    """The Celery queue, where it is not the model's."""
    is_part: bool = False
    """Its jobs are parts of another one, which is shown in their place."""
    retryable: Q = ALWAYS
    """Which of them can be retried once they have failed or were canceled."""
    person: str = "created_by"
    related: tuple[str, ...] = ()
    """What `title` and `page` read of other rows."""
    title: Callable[[Any], str | None] = str
    """What administrators see of a job; None where that is its owner's business alone."""
    page: Callable[[Any], str] | None = None
    """The address of an administrators' page that shows a job."""

    retry: Callable[[Any], bool] | None = None
    cancel: Callable[[Any], bool] | None = None
    rerun: Callable[[Any, ModelVersion], Job | None] | None = None
    """Begins a new job on what is kept of an ended one; None if nothing is."""
    blur: Callable[[Any], bool] | None = None
    """Makes the faces in what is stored of an ended one unrecognizable; False if nothing is."""
    sweep: Callable[[], None] | None = None
    """Where a kind does these in its own way; see `work`."""

    @property
    def queue(self) -> str:
        return self.other_queue or self.model.queue

    def jobs(self) -> "QuerySet[Any]":
        return self.model._default_manager.filter(self.rows)

    def described(self) -> "QuerySet[Any]":
        """All jobs of this kind, each with its person, and `can_retry`."""
        return (
            self.jobs()
            .select_related(self.person, *self.related)
            .annotate(can_retry=self.retryable)
        )


KINDS: dict[str, Kind] = {}
"""The kinds that are shown, by their names, in the order in which they were registered."""

PARTS: dict[str, Kind] = {}
"""The kinds of parts of jobs."""


def register(kind: Kind) -> Kind:
    """Add a kind: its jobs are swept, and shown on the page of jobs unless they are parts."""
    (PARTS if kind.is_part else KINDS)[kind.name] = kind
    return kind


def kind_of(job: Job) -> Kind:
    """The kind that registered a job's model."""
    kinds = (kind for kind in (KINDS | PARTS).values() if kind.model is type(job))
    return next(kind for kind in kinds if kind.matches(job))


def pausable_queues() -> set[str]:
    """Queues that can be paused. Webcam frames are no jobs: nobody wants one that has waited."""
    return {kind.queue for kind in KINDS.values()}
