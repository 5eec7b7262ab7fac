"""The Celery tasks of live sessions: a frame each, and the end of sessions that broke off."""

from celery import shared_task
from django.conf import settings

from recognition.live import frames, recordings


# A frame is worth nothing to anybody once it is late: its task is never repeated.
@shared_task(
    name="recognition.tasks.analyze_frame", acks_late=False, expires=settings.FRAME_SECONDS
)
def analyze_frame(job: frames.Job) -> None:
    frames.answer_frame(job)


@shared_task
def finish_interrupted() -> None:
    recordings.finish_interrupted()


def enqueue_frame(job: frames.Job) -> None:
    """Send a frame to the workers; raises one of BROKER_TROUBLE when the broker is down."""
    analyze_frame.apply_async((job,), retry=False)
