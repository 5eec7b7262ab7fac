"""The Celery tasks of exports, and exports as a kind of job."""

from celery import shared_task
from django.db.models import Q

from recognition import events
from recognition.history import exports
from recognition.jobs import work
from recognition.jobs.broker import send
from recognition.jobs.kinds import Kind, register
from recognition.models import Export


@shared_task(name="recognition.tasks.export")
def export(pk: str) -> None:
    work.run(KIND, pk, exports.write)


@shared_task(name="recognition.tasks.delete_old_exports")
def delete_old_exports() -> None:
    exports.delete_old()


def enqueue(pk: str) -> None:
    send(export, pk)


KIND = register(
    Kind(
        "export",
        Export,
        enqueue,
        events.publish_export,
        label="Export",
        gave_up="The export failed three times. Retry it later.",
        files=("file",),
        rows=~Q(format=Export.Format.MP4),  # recognition.videos makes those
        matches=lambda export: export.format != Export.Format.MP4,
        person="owner",
        title=lambda export: export.name,
    )
)
