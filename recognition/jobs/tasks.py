"""The Celery tasks that keep the jobs of all kinds going."""

from celery import shared_task

from recognition.jobs import files, work


@shared_task(name="recognition.tasks.requeue_stale")
def requeue_stale() -> None:
    work.sweep_all()


@shared_task(name="recognition.tasks.delete_orphaned_files")
def delete_orphaned_files() -> None:
    files.delete_orphans()
