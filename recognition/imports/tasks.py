"""The Celery task of imports, and imports as a kind of job."""

from celery import shared_task

from recognition.imports import imports
from recognition.jobs import work
from recognition.jobs.broker import send
from recognition.jobs.kinds import Kind, register
from recognition.models import MediaImport


@shared_task(name="recognition.tasks.import_media")
def import_media(pk: str) -> None:
    work.run(KIND, pk, imports.carry_out)


def enqueue(pk: str) -> None:
    send(import_media, pk)


KIND = register(
    Kind(
        "media-import",
        MediaImport,
        enqueue,
        lambda job: None,  # no page shows one while it runs but that of jobs, which asks
        label="Import of files",
        gave_up="The import failed three times. Retry it: what was imported stays.",
        title=lambda job: job.source,
    )
)
