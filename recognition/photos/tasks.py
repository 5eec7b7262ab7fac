"""The Celery task of photos, and analyses as a kind of job."""

from celery import shared_task
from django.conf import settings
from django.db.models import Q

from recognition import events
from recognition.jobs import work
from recognition.jobs.broker import send
from recognition.jobs.kinds import Kind, register
from recognition.models import Analysis
from recognition.photos import analyses, submissions
from recognition.programs import webhooks


# The safety net for decoders that hang: the child is killed, and the sweeper finds the row.
@shared_task(name="recognition.tasks.analyze", time_limit=settings.ANALYSIS_SECONDS)
def analyze(pk: str) -> None:
    work.run(KIND, pk, analyses.analyze)


def enqueue(pk: str) -> None:
    send(analyze, pk)


KIND = register(
    Kind(
        "analysis",
        Analysis,
        enqueue,
        events.publish_change,
        label="Photo",
        most_attempts=settings.MAX_ATTEMPTS,
        gave_up=f"This photo could not be analyzed in {settings.MAX_ATTEMPTS} attempts. "
        "The photo itself may be fine: please retry later.",
        on_end=webhooks.announce,
        files=("source", "photo", "thumbnail"),
        rows=Q(kind=Analysis.Kind.IMAGE),
        matches=lambda analysis: analysis.kind != Analysis.Kind.VIDEO,
        retryable=~Q(source=""),  # the upload of an unreadable photo is not kept
        person="owner",
        title=lambda analysis: None,
        rerun=submissions.rerun,
        blur=analyses.blur,
    )
)
