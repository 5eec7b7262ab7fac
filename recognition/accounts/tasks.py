"""The Celery tasks that erase closed accounts, and what has become too old."""

from celery import shared_task

from recognition.accounts import erasure, retention


@shared_task(name="recognition.tasks.erase_closed_accounts")
def erase_closed_accounts() -> None:
    erasure.erase_closed()
    retention.delete_unkept()


@shared_task(name="recognition.tasks.delete_expired")
def delete_expired() -> None:
    retention.delete_expired()
