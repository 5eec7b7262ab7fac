"""The Celery tasks: each calls one function and returns nothing."""

import logging

from celery import shared_task
from celery.worker import state as worker_state

from recognition.tasks import BROKER_TROUBLE, queue_length
from training import checks, evaluations, imports, leftovers, runs

logger = logging.getLogger(__name__)

LONGEST = 1800  # seconds for a check or an evaluation


# Acknowledged at once: a training outlasts any time-out of the broker. What a crash stops, the
# sweeper finds. The message names no run: a worker takes the one that has waited longest.
@shared_task(acks_late=False)
def train() -> None:
    if runs.run_next(worker_is_stopping) and runs.waiting().exists():
        enqueue_training()


@shared_task(acks_late=False)
def measure_speed(architecture: str) -> None:
    runs.measure_speed(architecture)


# The net under files that hang: the child is killed, and the sweeper finds the row.
@shared_task(time_limit=LONGEST)
def check_dataset(pk: str) -> None:
    checks.run_check(pk)


@shared_task(time_limit=LONGEST)
def evaluate(pk: str) -> None:
    evaluations.run_evaluation(pk)


# Acknowledged at once, as `train` is: it may wait behind a training for hours.
@shared_task(acks_late=False)
def import_weights(pk: str) -> None:
    imports.run_import(pk, enqueue_evaluation)


@shared_task
def requeue_stale() -> None:
    runs.requeue_stale(enqueue_training, queue_length("training"))
    checks.requeue_stale(enqueue_check)
    evaluations.requeue_stale(enqueue_evaluation)
    imports.requeue_stale(enqueue_import)


@shared_task
def delete_leftovers() -> None:
    leftovers.delete_leftovers()


def worker_is_stopping() -> bool:
    """Whether the worker was told to stop. It carries out tasks in its own process (-P solo)."""
    # The flag is an exit status, and 0 is one.
    return worker_state.should_stop is not None and worker_state.should_stop is not False


def enqueue_training() -> None:
    _send(train)


def enqueue_measurement(architecture: str) -> None:
    _send(measure_speed, architecture)


def enqueue_check(pk: str) -> None:
    _send(check_dataset, pk)


def enqueue_evaluation(pk: str) -> None:
    _send(evaluate, pk)


def enqueue_import(pk: str) -> None:
    _send(import_weights, pk)


def _send(task, *arguments: str) -> None:
    """Send a message; without a broker the sweeper sends it later."""
    try:
        task.delay(*arguments)
    except BROKER_TROUBLE as error:
        logger.warning("%s waits, the broker did not answer: %s", task.name, error)
