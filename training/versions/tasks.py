"""The Celery tasks of evaluations and imports, and both as kinds of jobs."""

from celery import shared_task
from django.db.models import Q
from django.urls import reverse

from recognition.jobs import work
from recognition.jobs.broker import send
from recognition.jobs.kinds import Kind, register
from training.models import Evaluation, ModelImport
from training.versions import evaluations, events, imports


# The safety net for files that hang: the child is killed, and the sweeper finds the row.
@shared_task(name="training.tasks.evaluate", time_limit=1800)
def evaluate(pk: str) -> None:
    work.run(EVALUATION, pk, evaluations.evaluate)


# Acknowledged at once like a training, because it may wait behind one for hours.
@shared_task(name="training.tasks.import_weights", acks_late=False)
def import_weights(pk: str) -> None:
    work.run(IMPORT, pk, imports.make_version)


def enqueue_evaluation(pk: str) -> None:
    send(evaluate, pk)


def enqueue_import(pk: str) -> None:
    send(import_weights, pk)


EVALUATION = register(
    Kind(
        "evaluation",
        Evaluation,
        enqueue_evaluation,
        events.publish_evaluation,
        label="Evaluation",
        gave_up="The evaluation failed three times. Request it again later.",
        related=("version", "dataset"),
        page=lambda evaluation: reverse("model-version", args=[evaluation.version.number]),
    )
)
IMPORT = register(
    Kind(
        "import",
        ModelImport,
        enqueue_import,
        events.publish_import,
        label="Model import",
        gave_up="The import failed three times. Check the worker's log, then import the file "
        "again.",
        waiting={"step": ModelImport.Step.WAITING},
        retryable=Q(error_code__in=["", "gave_up"]),  # a file that was refused is not kept
        title=lambda found: found.name,
        page=lambda found: reverse("models"),
    )
)
