"""The Celery tasks of training runs, and runs as a kind of job."""

from celery import shared_task
from celery.worker import state as worker_state
from django.urls import reverse

from recognition.jobs.broker import queue_length, send
from recognition.jobs.kinds import Kind, register
from training.models import TrainingRun
from training.runs import events, leftovers, runs


# Acknowledged at once, because a training outlasts any broker timeout; the sweeper finds what a
# crash interrupts. The message names no run: a worker takes the one that has waited longest.
@shared_task(name="training.tasks.train", acks_late=False)
def train() -> None:
    leftovers.delete_local()  # this host may be another than that of maintenance
    if runs.run_next(worker_is_stopping) and runs.waiting().exists():
        enqueue_training()


@shared_task(name="training.tasks.measure_speed", acks_late=False)
def measure_speed(architecture: str) -> None:
    runs.measure_speed(architecture)


@shared_task(name="training.tasks.delete_leftovers")
def delete_leftovers() -> None:
    leftovers.delete_leftovers()


def worker_is_stopping() -> bool:
    """Whether the worker is shutting down. It runs tasks in its own process (-P solo)."""
    # The flag is an exit status, and 0 is one.
    return worker_state.should_stop is not None and worker_state.should_stop is not False


def enqueue_training() -> None:
    send(train)


def enqueue_measurement(architecture: str) -> None:
    send(measure_speed, architecture)


KIND = register(
    Kind(
        "training",
        TrainingRun,
        lambda pk: enqueue_training(),
        events.publish_run,
        label="Training",
        most_attempts=4,  # without a new epoch: the first, and three automatic retries
        gave_up="The training failed four times without a new epoch. Its checkpoint is kept: "
        "check the log, then resume it.",
        waiting=runs.WAITING,
        related=("dataset",),
        page=lambda run: reverse("training-run", args=[run.pk]),
        retry=runs.resume,
        cancel=runs.cancel,
        sweep=lambda: runs.requeue_stale(enqueue_training, queue_length(TrainingRun.queue)),
    )
)
