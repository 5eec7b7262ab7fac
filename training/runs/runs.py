"""The life of a training run: claimed, trained in a process of its own, registered, swept up."""

import json
import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import DatabaseError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from recognition.engine.errors import CodedError
from recognition.jobs import lease, pauses, tracebacks, work
from recognition.jobs.lease import Status
from recognition.models import ModelVersion
from recognition.registry import registry
from training.core.checkpoint import CARD, KERAS, MODEL
from training.core.config import TrainingConfig
from training.core.duration import settled
from training.models import Epoch, Evaluation, Speed, TrainingRun
from training.runs import events, trainer
from training.runs.messages import BEST, EXAMINATION, Batch, Epochs, TrainerMessage, TrainingJob

logger = logging.getLogger(__name__)

Phase = TrainingRun.Phase

# What is written to a run that goes back into the queue.
WAITING: dict[str, Any] = {"phase": Phase.WAITING, "progress": {}}
TICK = 0.5  # seconds between two looks at the stop flag


class Ended(Exception):
    """The training process has to stop: the run was canceled, or belongs to somebody else now."""


class Stopped(Exception):
    """This worker is told to stop; another one, or the next, goes on with the run."""


class BrokeOff(Exception):
    """The training process ended before it was done: killed, out of memory, or by a fault."""


class Problem(CodedError):
    """The run cannot succeed."""


def waiting() -> QuerySet[TrainingRun]:
    """The queued runs in the order in which they will be carried out."""
    return TrainingRun.objects.filter(status=Status.QUEUED).order_by("enqueued_at", "pk")


def never() -> bool:
    return False


def run_next(should_stop: Callable[[], bool] = never) -> bool:
    """Carry out the first of the waiting runs; False if none waits."""
    run = lease.claim(waiting())
    if run is None:
        return False
    carry_out(run, should_stop)
    return True


def carry_out(run: TrainingRun, should_stop: Callable[[], bool] = never) -> None:
    """Train, evaluate and register a run that this process has claimed.

    What a person has to change ends it at once; any other trouble, such as a killed process, puts
    it back into the queue, at most three times. It goes on from its last epoch then. Where
    `should_stop` says so, it goes back as well, and this attempt does not count.
    """
    # The precision is kept in the row: a run that goes on elsewhere goes on as it began.
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
        logger.warning("Run %s broke off: %s", run.pk, reason)
        work.put_back(run, traceback=tracebacks.describe(reason))
    except Exception as error:
        logger.exception("Run %s broke off", run.pk)
        work.put_back(run, traceback=tracebacks.describe(error))


def follow(run: TrainingRun, should_stop: Callable[[], bool]) -> None:
    """Run the training process to its end; raises Ended, Stopped, Problem or BrokeOff."""
    with trainer.train(folder_of(run), job_of(run)) as process:
        done, renewed_at = False, time.monotonic()
        for message in process.messages(TICK):
            if should_stop():
                raise Stopped
            done = done or (message is not None and message["type"] == "done")
            try:
                look(run)
                if message is not None:
                    hear(run, message, process.log_tail())
                    renewed_at = time.monotonic()
                elif time.monotonic() - renewed_at > settings.LEASE_SECONDS / 3:
                    keep(run, log=process.log_tail())
                    renewed_at = time.monotonic()
            except DatabaseError:
                # Training goes on without its audience; the next message carries what was missed.
                logger.warning("Run %s: a message was not stored", run.pk, exc_info=True)
        if not done:
            raise BrokeOff(f"the training process ended with status {process.popen.wait()}")


def look(run: TrainingRun) -> None:
    """Raise Ended if somebody wants the run to stop, or it is no longer this process's."""
    if lease.owned(run).values_list("cancel_requested", flat=True).first() is not False:
        raise Ended


def keep(run: TrainingRun, **values: Any) -> None:
    """Write to the row and renew the lease; raises Ended if it is no longer this process's."""
    if not lease.change(run, **values):
        raise Ended


def hear(run: TrainingRun, message: TrainerMessage, log: str) -> None:
    """Store and pass on what the training process said."""
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
    """Make the rows those of the checkpoint: no gap, none twice; gives those that are new."""
    keep(run, log=log)
    run.epochs.filter(number__gt=len(message["epochs"])).delete()
    stored = set(run.epochs.values_list("number", flat=True))
    missing = [epoch for epoch in message["epochs"] if epoch["number"] not in stored]
    return Epoch.objects.bulk_create(Epoch(run=run, **epoch) for epoch in missing)


def note_speed(architecture: str, faces_per_second: float) -> None:
    Speed.objects.update_or_create(
        architecture=architecture, defaults={"faces_per_second": faces_per_second}
    )


def measure_speed(architecture: str) -> None:
    """Time a network on this machine, for the estimate before its first run.

    Messages that were sent while a training went on find the speed known after the first of them.
    """
    if Speed.objects.filter(architecture=architecture).exists():
        return
    with trainer.measure(architecture, settings.TRAINING_DIR / "measure.txt") as process:
        for message in process.messages(TICK):
            if message is not None and message["type"] == "measured":
                note_speed(architecture, message["faces_per_second"])


def register(run: TrainingRun) -> None:
    """Turn what the training process left into a model version with its evaluations."""
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
        shutil.rmtree(folder, ignore_errors=True)


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
    """End a run that this process holds because somebody canceled it; its checkpoint stays."""
    work.finish(run, status=Status.CANCELED, cancel_requested=False, progress={})


def give_back(run: TrainingRun) -> None:
    """Put a run back that this process carried out until it was told to stop."""
    if lease.give_back(run, **WAITING):
        events.publish_run(run)


def requeue_stale(enqueue: Callable[[], None], waiting_messages: int) -> None:
    """Bring back runs whose worker is gone, and see that a worker knows of those that wait.

    `enqueue` sends the message that has a worker take the next run; one is enough for all. While
    the queue is paused they wait.
    """
    for run in lease.abandoned(TrainingRun.objects.all()):
        if run.cancel_requested:
            end_canceled(run)
        else:
            work.put_back(run)
    if not waiting_messages and waiting().exists() and not pauses.is_paused(TrainingRun.queue):
        enqueue()


def cancel(run: TrainingRun) -> bool:
    """Take a run out of the queue, or have it stopped within seconds; False if it has ended.

    What it has learned is kept, and `resume` goes on from there.
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
    """Queue a run that failed or was canceled to go on from its last epoch; False if it did not."""
    if not lease.enqueue_again(run, phase=TrainingRun.Phase.WAITING, cancel_requested=False):
        return False
    work.submit(run)
    return True


def folder_of(run: TrainingRun) -> Path:
    """Where a run keeps its checkpoint until it has succeeded."""
    return settings.TRAINING_DIR / "runs" / str(run.pk)


def job_of(run: TrainingRun) -> TrainingJob:
    return {
        "data": run.dataset.path,
        "votes": run.dataset.votes_path or None,
        "cache": str(settings.DATASET_CACHE),
        "config": run.config,
        "patience": run.patience,
    }
