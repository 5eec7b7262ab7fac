"""The Celery task that checks data sets, and the check as a kind of job."""

from celery import shared_task
from django.urls import reverse

from recognition.jobs import work
from recognition.jobs.broker import send
from recognition.jobs.kinds import Kind, register
from training.datasets import checks, events
from training.models import Dataset


# The safety net for files that hang: the child is killed, and the sweeper finds the row.
@shared_task(name="training.tasks.check_dataset", time_limit=1800)
def check_dataset(pk: str) -> None:
    work.run(KIND, pk, checks.check)


def enqueue(pk: str) -> None:
    send(check_dataset, pk)


KIND = register(
    Kind(
        "check",
        Dataset,
        enqueue,
        events.publish_dataset,
        label="Data set check",
        gave_up="Checking the data set failed three times. Add it again later.",
        page=lambda dataset: reverse("training-datasets"),
    )
)
