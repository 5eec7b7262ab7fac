"""Weights become a model version: in a process of their own, then registered and scored."""

import json
import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import transaction

from recognition import jobs, registry, tracebacks
from recognition.engine.errors import ModelError
from recognition.models import ModelVersion
from training import events, trainer
from training.core.checkpoint import CARD, KERAS, MODEL
from training.messages import BEST, WeightsJob
from training.models import Dataset, Evaluation, ModelImport

logger = logging.getLogger(__name__)

Step = ModelImport.Step

TICK = 0.5  # seconds between two looks whether somebody has deleted the row
LONGEST = 600  # seconds for the process; it takes half a minute on a slow machine
MOST_ATTEMPTS = 3
GAVE_UP = "The import broke off three times. Look at the worker's log, then import the file again."


class BrokeOff(Exception):
    """The process ended before it was done: killed, out of memory, or by a fault."""


def run_import(pk: str, evaluate: Callable[[str], None] = lambda pk: None) -> None:
    """Carry out a queued import; does nothing if somebody else has it or it is gone.

    `evaluate` sends the message for an evaluation.
    """
    found = jobs.claim(ModelImport.objects.filter(pk=pk))
    if found is None:
        return
    try:
        with jobs.held_lease(found):
            if follow(found):
                register(found, evaluate)
    except ModelError as error:
        end_failed(found, error.code, error.message)
    except Exception as error:
        logger.exception("%s broke off", found)
        put_back(found, traceback=tracebacks.describe(error))


def follow(found: ModelImport) -> bool:
    """Run the process to its end; False if the row is gone. Raises ModelError or BrokeOff."""
    deadline = time.monotonic() + LONGEST
    with trainer.import_weights(folder_of(found), job_of(found)) as process:
        for message in process.messages(TICK):
            if not jobs.owned(found).exists():
                return False
            if time.monotonic() > deadline:
                raise ModelError("too_slow", f"This took more than {LONGEST // 60} minutes.")
            if message is None:
                continue
            if message["type"] == "step":
                note_step(found, message["step"])
            elif message["type"] == "problem":
                raise ModelError(message["code"], message["message"])
            elif message["type"] == "done":
                return True
        raise BrokeOff(f"the process ended with {process.popen.wait()}: {process.log_tail()}")


def note_step(found: ModelImport, step: str) -> None:
    if jobs.change(found, step=step):
        events.publish_import(found)


def register(found: ModelImport, evaluate: Callable[[str], None]) -> None:
    """Turn what the process left into a model version, and have it scored. Raises ModelError."""
    note_step(found, Step.REGISTERING)
    folder = folder_of(found)
    version = registry.register(
        (folder / MODEL).read_bytes(),
        json.loads((folder / CARD).read_text()),
        weights=(folder / BEST).read_bytes(),
        keras=(folder / KERAS).read_bytes(),
        created_by=found.created_by,
        note=found.note,
        imported=True,
    )
    with transaction.atomic():
        if not jobs.finish(found, step=Step.DONE, model_version=version):
            return
        queued = queue_evaluations(version, found.dataset, found.created_by)
    for evaluation in queued:
        evaluate(str(evaluation.pk))
    shutil.rmtree(folder, ignore_errors=True)
    events.publish_import(found)


def queue_evaluations(version: ModelVersion, dataset: Dataset | None, user) -> list[Evaluation]:
    """Evaluations on the splits that are for testing; on all faces where there is no such split."""
    if dataset is None or not (counts := dataset.report.get("counts")):
        return []
    splits = [split for split in counts if split != "Training"] or ["Training"]
    found = [
        Evaluation.objects.get_or_create(
            version=version, dataset=dataset, split=split, defaults={"created_by": user}
        )
        for split in splits
    ]
    return [evaluation for evaluation, created in found if created]


def end_failed(found: ModelImport, code: str, message: str) -> None:
    if jobs.fail(found, code, message):
        shutil.rmtree(folder_of(found), ignore_errors=True)
        events.publish_import(found)


def put_back(found: ModelImport, **values) -> None:
    if jobs.put_back(found, MOST_ATTEMPTS, GAVE_UP, step=Step.WAITING, **values):
        events.publish_import(found)


def requeue_stale(enqueue: Callable[[str], None]) -> None:
    """Bring back imports that a crash has stopped; `enqueue` sends the message for a key."""
    for found in jobs.abandoned(ModelImport):
        put_back(found)
    for pk in jobs.forgotten(ModelImport):
        enqueue(pk)


def folder_of(found: ModelImport) -> Path:
    """Where the weights are until they are a model version."""
    return settings.TRAINING_DIR / "imports" / str(found.pk)


def job_of(found: ModelImport) -> WeightsJob:
    return {
        "architecture": found.architecture,
        "temperature": float(found.card.get("temperature", 1.0)),
        "card": found.card,
        "max_bytes": settings.MAX_MODEL_BYTES,
    }
