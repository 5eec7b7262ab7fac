"""The Celery tasks of videos; videos and their parts as kinds of jobs."""

from celery import shared_task
from django.conf import settings
from django.db.models import Q

from recognition import events
from recognition.jobs import work
from recognition.jobs.broker import send
from recognition.jobs.kinds import Kind, register
from recognition.models import Analysis, Export, VideoPart
from recognition.programs import webhooks
from recognition.videos import annotated, parts, reading, submissions, uploads


@shared_task(name="recognition.tasks.prepare_video")
def prepare_video(pk: str) -> None:
    work.run(KIND, pk, reading.prepare)


@shared_task(name="recognition.tasks.carry_out_part")
def carry_out_part(pk: str) -> None:
    work.run(PART, pk, parts.carry_out)


@shared_task(name="recognition.tasks.annotate_video")
def annotate_video(pk: str) -> None:
    work.run(ANNOTATED, pk, annotated.write)


@shared_task(name="recognition.tasks.delete_old_uploads")
def delete_old_uploads() -> None:
    uploads.delete_old()


@shared_task(name="recognition.tasks.finish_recordings")
def finish_recordings() -> None:
    uploads.finish_abandoned()


def enqueue(pk: str) -> None:
    send(prepare_video, pk)


def enqueue_part(pk: str) -> None:
    send(carry_out_part, pk)


def enqueue_annotated(pk: str) -> None:
    send(annotate_video, pk)


MOST_ATTEMPTS = 8

KIND = register(
    Kind(
        "video",
        Analysis,
        enqueue,
        events.publish_change,
        label="Video",
        most_attempts=settings.MAX_ATTEMPTS,
        gave_up=f"This video could not be read in {settings.MAX_ATTEMPTS} attempts. "
        "The video itself may be fine: please retry later.",
        on_end=webhooks.announce,
        files=("media",),
        rows=Q(kind=Analysis.Kind.VIDEO),
        matches=lambda analysis: analysis.kind == Analysis.Kind.VIDEO,
        other_queue=VideoPart.queue,
        retryable=reading.RETRYABLE,
        person="owner",
        title=lambda analysis: None,
        retry=reading.retry,
        cancel=reading.cancel,
        rerun=submissions.rerun,
        blur=parts.ask_for_blur,
    )
)

PART = register(
    Kind(
        "video-part",
        VideoPart,
        enqueue_part,
        lambda part: None,  # its analysis tells what there is to tell
        label="Part of a video",
        # More than for others: a worker that dies takes the parts of all its threads with it.
        most_attempts=MOST_ATTEMPTS,
        gave_up=f"This part of the video could not be read in {MOST_ATTEMPTS} attempts.",
        on_end=reading.settle,
        is_part=True,
        person="analysis__owner",
        title=lambda part: None,
    )
)

# An export like the others, but made where videos are read: it takes as long.
ANNOTATED = register(
    Kind(
        "annotated-video",
        Export,
        enqueue_annotated,
        events.publish_export,
        label="Annotated video",
        gave_up="The export failed three times. Retry it later.",
        rows=Q(format=Export.Format.MP4),
        matches=lambda export: export.format == Export.Format.MP4,
        other_queue=VideoPart.queue,
        person="owner",
        title=lambda export: export.name,
    )
)
