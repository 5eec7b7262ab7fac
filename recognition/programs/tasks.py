"""The Celery tasks of webhooks and idempotent requests."""

from celery import shared_task

from recognition.programs import idempotency, webhooks


@shared_task(name="recognition.tasks.deliver_due")
def deliver_due() -> None:
    for pk in webhooks.take_due():
        deliver.delay(pk)


# Expires before the delivery can be claimed again, so messages to slow receivers don't pile up.
@shared_task(name="recognition.tasks.deliver", expires=webhooks.TAKEN_SECONDS // 2)
def deliver(pk: int) -> None:
    webhooks.deliver(pk)


@shared_task(name="recognition.tasks.forget_old")
def forget_old() -> None:
    webhooks.forget_old()
    idempotency.forget_old()
