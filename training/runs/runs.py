"""The life cycle of a training run: claim, train in a separate process, register, sweep."""

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import DatabaseError, connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from recognition.engine.errors import CodedError
from recognition.jobs import lease, pauses, tracebacks, work
from recognition.jobs.lease import Status
from recognition.models import ModelVersion
from recognition.registry import registry
from training import files
from training.core.checkpoint import CARD, KERAS, MODEL
from training.core.config import TrainingConfig
from training.core.duration import settled
from training.models import Epoch, Evaluation, Speed, TrainingRun
from training.runs import checkpoints, events, trainer
from training.runs.messages import BEST, EXAMINATION, Batch, Epochs, TrainerMessage, TrainingJob

logger = logging.getLogger(__name__)

Phase = TrainingRun.Phase

# The fields of a run that goes back into the queue.
WAITING: dict[str, Any] = {"phase": Phase.WAITING, "progress": {}}
TICK = 0.5  # seconds between two checks of the stop flag


class Ended(Exception):
    """The training process must stop: the run was canceled, or another worker holds it."""


class Stopped(Exception):
    """This worker is shutting down; another one continues the run."""


class BrokeOff(Exception):
    """The training process ended early: killed, out of memory, or crashed."""


class Problem(CodedError):
    """The run can't succeed."""


def waiting() -> QuerySet[TrainingRun]:
    """The queued runs in the order of execution."""
    return TrainingRun.objects.filter(status=Status.QUEUED).order_by("enqueued_at", "pk")


def never() -> bool:
    return False


def run_next(should_stop: Callable[[], bool] = never) -> bool:
    """Execute the first queued run; False if there is none."""
    run = lease.claim(waiting())
    if run is None:
        return False
    carry_out(run, should_stop)
    return True


def carry_out(run: TrainingRun, should_stop: Callable[[], bool] = never) -> None:
    """Train, evaluate and register a run that this process has claimed.

    Errors that a person must fix end it at once; any other failure, such as a killed process, puts
    it back into the queue, to resume from its last epoch: up to three times without a new one. If
    `should_stop` returns true it goes back too, without counting the attempt.
    """
    # The precision is stored so that a run resumed elsewhere continues unchanged.
    config = settled(TrainingConfig.from_dict(run.config))
    lease.change(run, phase=Phase.STARTING, config=config.to_dict())
    events.publish_run(run)
    try:
        follow(run, should_stop)
        register(run)
    except Ended:
        end_canceled(run)
    except Stopped:
        give_back(run)
    except Problem as problem:
        work.fail(run, problem.code, problem.message, progress={})
    except BrokeOff as reason:
        logger.warning("Run %s failed: %s", run.pk, reason)
        work.put_back(run, traceback=tracebacks.describe(reason))
    except Exception as error:
        logger.exception("Run %s failed", run.pk)
        work.put_back(run, traceback=tracebacks.describe(error))


def follow(run: TrainingRun, should_stop: Callable[[], bool]) -> None:
    """Run the training process to its end. Raises Ended, Stopped, Problem or BrokeOff."""
    folder = folder_of(run)
    checkpoints.bring(folder)
    with (
        checkpoints.sharing(folder) as share,
        trainer.train(folder, job_of(run)) as process,
    ):
        done, renewed_at = False, time.monotonic()
        for message in process.messages(TICK):
            if should_stop():
                raise Stopped
            done = done or (message is not None and message["type"] == "done")
            try:
                look(run)
                if message is not None:
                    if message["type"] == "epochs":
                        share()
                    hear(run, message, process.log_tail())
                    renewed_at = time.monotonic()
                elif time.monotonic() - renewed_at > settings.LEASE_SECONDS / 3:
                    keep(run, log=process.log_tail())
                    renewed_at = time.monotonic()
            except DatabaseError:
                # Training continues without its audience; the next message includes what was
                # missed.
                logger.warning("Run %s: could not store a message", run.pk, exc_info=True)
                connection.close()  # a server that was restarted is reached by a new one alone
        if not done:
            raise BrokeOff(f"the training process ended with status {process.popen.wait()}")


def look(run: TrainingRun) -> None:
    """Raise Ended if the run was canceled or this process has lost it."""
    if lease.owned(run).values_list("cancel_requested", flat=True).first() is not False:
        raise Ended


def keep(run: TrainingRun, **values: Any) -> None:
    """Update the row and renew the lease. Raises Ended if this process has lost it."""
    if not lease.change(run, **values):
        raise Ended


def hear(run: TrainingRun, message: TrainerMessage, log: str) -> None:
    """Store and forward a message of the training process."""
    if message["type"] == "batch":
        keep(run, phase=Phase.TRAINING, progress=progress_of(run, message), log=log)
        events.publish_run(run)
    elif message["type"] == "epochs":
        new = store_epochs(run, message, log)
        events.publish_run(run, new)
    elif message["type"] == "evaluating":
        keep(run, phase=Phase.EVALUATING, log=log)
        if message["faces_per_second"]:
            note_speed(run.config["architecture"], message["faces_per_second"])
        events.publish_run(run)
    elif message["type"] == "problem":
        raise Problem(message["code"], message["message"])


def progress_of(run: TrainingRun, batch: Batch) -> events.Progress:
    epochs = None if run.config.get("minutes") else run.config["epochs"]
    values = {name: value for name, value in batch.items() if name != "type"}
    return cast(events.Progress, {"epochs": epochs, **values})


@transaction.atomic
def store_epochs(run: TrainingRun, message: Epochs, log: str) -> list[Epoch]:
    """Synchronize the rows with the checkpoint; returns the new ones."""
    stored = set(run.epochs.values_list("number", flat=True))
    missing = [epoch for epoch in message["epochs"] if epoch["number"] not in stored]
    # Only attempts count that got nowhere, or a long run would end after a few restarts.
    keep(run, log=log, **({"attempts": 1} if missing else {}))
    run.epochs.filter(number__gt=len(message["epochs"])).delete()
    return Epoch.objects.bulk_create(Epoch(run=run, **epoch) for epoch in missing)


def note_speed(architecture: str, faces_per_second: float) -> None:
    Speed.objects.update_or_create(
        architecture=architecture, defaults={"faces_per_second": faces_per_second}
    )


def measure_speed(architecture: str) -> None:
    """Time a network on this machine, for the estimate before its first run.

    If several requests queued up during a training, only the first measures.
    """
    if Speed.objects.filter(architecture=architecture).exists():
        return
    with trainer.measure(architecture, settings.TRAINING_DIR / "measure.txt") as process:
        for message in process.messages(TICK):
            if message is not None and message["type"] == "measured":
                note_speed(architecture, message["faces_per_second"])


def register(run: TrainingRun) -> None:
    """Turn the training process's results into a model version with evaluations."""
    folder = folder_of(run)
    card = json.loads((folder / CARD).read_text())
    version = registry.register(
        (folder / MODEL).read_bytes(),
        card,
        weights=(folder / BEST).read_bytes(),
        keras=(folder / KERAS).read_bytes(),
        created_by=run.created_by,
        note=run.note,
    )
    mistakes = json.loads((folder / EXAMINATION).read_text())

    def store() -> None:
        for split, found in mistakes.items():
            store_evaluation(run, version, split, card["figures"][split], found)

    if work.finish(run, store, phase=Phase.DONE, model_version=version, progress={}):
        files.delete(folder)


def store_evaluation(
    run: TrainingRun, version: ModelVersion, split: str, figures: dict, mistakes: list
) -> None:
    picture = folder_of(run) / f"mistakes-{split}.jpg"
    evaluation, created = Evaluation.objects.get_or_create(
        version=version,
        dataset=run.dataset,
        split=split,
        defaults={
            "run": run,
            "status": Status.SUCCEEDED,
            "created_by": run.created_by,
            "figures": figures,
            "mistakes": mistakes,
            "finished_at": timezone.now(),
        },
    )
    if created and picture.exists():
        evaluation.picture.save(f"{evaluation.pk}.jpg", ContentFile(picture.read_bytes()))


def end_canceled(run: TrainingRun) -> None:
    """End this process's run because it was canceled; its checkpoint is kept."""
    work.finish(run, status=Status.CANCELED, cancel_requested=False, progress={})


def give_back(run: TrainingRun) -> None:
    """Put this process's run back into the queue when the worker shuts down."""
    if lease.give_back(run, **WAITING):
        events.publish_run(run)


def requeue_stale(enqueue: Callable[[], None], waiting_messages: int) -> None:
    """Requeue runs whose worker is gone, and make sure that a worker knows of queued runs.

    `enqueue` sends the message for a worker to take the next run; one is enough for all. While the
    queue is paused they wait.
    """
    for run in lease.abandoned(TrainingRun.objects.all()):
        if run.cancel_requested:
            end_canceled(run)
        else:
            work.put_back(run)
    if not waiting_messages and waiting().exists() and not pauses.is_paused(TrainingRun.queue):
        enqueue()


def cancel(run: TrainingRun) -> bool:
    """Cancel a queued run, or stop a running one within seconds; False if it has ended.

    The checkpoint is kept, and `resume` continues from it.
    """
    rows = TrainingRun.objects.filter(pk=run.pk)
    changed = rows.filter(status=Status.QUEUED).update(
        status=Status.CANCELED, finished_at=timezone.now(), sequence=F("sequence") + 1
    ) or rows.filter(status=Status.RUNNING).update(cancel_requested=True)
    run.refresh_from_db()
    if changed:
        events.publish_run(run)
    return bool(changed)


def resume(run: TrainingRun) -> bool:
    """Queue a failed or canceled run to resume from its last epoch; False if it is neither."""
    if not lease.enqueue_again(run, phase=TrainingRun.Phase.WAITING, cancel_requested=False):
        return False
    work.submit(run)
    return True


def folder_of(run: TrainingRun) -> Path:
    """Where a run keeps its checkpoint until it has succeeded."""
    return settings.TRAINING_DIR / "runs" / str(run.pk)


def job_of(run: TrainingRun) -> TrainingJob:
    data, votes = files.data_of(run.dataset)
    return {
        "data": str(data),
        "votes": str(votes) if votes else None,
        "classes": run.dataset.class_options,
        "cache": str(settings.DATASET_CACHE),
        "config": run.config,
        "patience": run.patience,
    }
