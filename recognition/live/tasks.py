"""The Celery tasks of live sessions: frames, and ending interrupted sessions."""

from celery import shared_task
from django.conf import settings

from recognition.live import frames, recordings


# A late frame is useless, so its task is never retried.
@shared_task(
    name="recognition.tasks.analyze_frame", acks_late=False, expires=settings.FRAME_SECONDS
)
def analyze_frame(job: frames.Job) -> None:
    frames.answer_frame(job)


@shared_task
def finish_interrupted() -> None:
    recordings.finish_interrupted()


def enqueue_frame(job: frames.Job) -> None:
    """Send a frame to the workers. Raises one of BROKER_TROUBLE if the broker is down."""
    analyze_frame.apply_async((job,), retry=False)
