"""The Celery tasks: each takes ids, calls one function and returns nothing."""

import logging

from celery import current_app, shared_task
from django.conf import settings
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from recognition import analyses, exports, frames, idempotency, recordings, webhooks

logger = logging.getLogger(__name__)

BROKER_TROUBLE = (OperationalError, RedisError, OSError)


# The net under decoders that hang: the child is killed, and the sweeper finds the row.
@shared_task(time_limit=settings.ANALYSIS_SECONDS)
def analyze(pk: str) -> None:
    analyses.run_analysis(pk)


# A frame is worth nothing to anybody once it is late: its task is never repeated.
@shared_task(acks_late=False, expires=settings.FRAME_SECONDS)
def analyze_frame(job: frames.Job) -> None:
    frames.answer_frame(job)


@shared_task
def requeue_stale() -> None:
    analyses.requeue_stale(enqueue, waiting=queue_length("analyses"))
    recordings.finish_interrupted()
    exports.requeue_stale(enqueue_export)


@shared_task
def export(pk: str) -> None:
    exports.run_export(pk)


@shared_task
def delete_old_exports() -> None:
    exports.delete_old()


@shared_task
def deliver_due() -> None:
    for pk in webhooks.take_due():
        deliver.delay(pk)


# Expires before its delivery is taken again: messages to slow receivers must not pile up.
@shared_task(expires=webhooks.TAKEN_SECONDS // 2)
def deliver(pk: int) -> None:
    webhooks.deliver(pk)


@shared_task
def forget_old() -> None:
    webhooks.forget_old()
    idempotency.forget_old()


@shared_task
def delete_orphaned_files() -> None:
    analyses.delete_orphaned_files()


def enqueue(pk: str) -> None:
    """Send the message for a queued analysis; without a broker the sweeper sends it later."""
    try:
        analyze.delay(pk)
    except BROKER_TROUBLE as error:
        logger.warning("Analysis %s stays queued, the broker did not answer: %s", pk, error)


def enqueue_export(pk: str) -> None:
    """Send the message for a queued export; without a broker the sweeper sends it later."""
    try:
        export.delay(pk)
    except BROKER_TROUBLE as error:
        logger.warning("Export %s stays queued, the broker did not answer: %s", pk, error)


def enqueue_frame(job: frames.Job) -> None:
    """Send a frame to the workers; raises one of BROKER_TROUBLE when the broker is down."""
    analyze_frame.apply_async((job,), retry=False)


def broker_answers() -> bool:
    """Whether the broker can take messages just now."""
    try:
        with current_app.connection_for_write() as broker:
            return bool(broker.default_channel.client.ping())
    except BROKER_TROUBLE:
        return False


def queue_length(queue: str) -> int:
    """How many messages wait in a queue, not counting those that workers have taken."""
    with current_app.connection_for_read() as broker:
        return broker.default_channel.client.llen(queue)  # 0 also for a queue never used
