"""Turns weights into a model version: builds the model in a separate process, then registers
and evaluates it."""

import json
import logging
import time
from pathlib import Path
from typing import Any

from django.conf import settings

from recognition.engine.errors import ModelError
from recognition.jobs import lease, work
from recognition.models import ModelVersion
from recognition.registry import registry
from training import files
from training.core.checkpoint import CARD, KERAS, MODEL
from training.models import Dataset, Evaluation, ModelImport
from training.runs import trainer
from training.runs.messages import BEST, WEIGHTS, WeightsJob
from training.versions import events

logger = logging.getLogger(__name__)

Step = ModelImport.Step

TICK = 0.5  # seconds between two checks whether the row was deleted
LONGEST = 600  # seconds for the process; it takes half a minute on a slow machine


class BrokeOff(Exception):
    """The process ended early: killed, out of memory, or crashed."""


def make_version(found: ModelImport) -> None:
    """Turn claimed weights into a model version. Raises ModelError or BrokeOff."""
    try:
        if follow(found):
            register(found)
    except ModelError:
        if lease.owned(found).exists():
            files.delete(folder_of(found))
        raise


def follow(found: ModelImport) -> bool:
    """Run the process to its end; False if the row is gone. Raises ModelError or BrokeOff."""
    deadline = time.monotonic() + LONGEST
    files.fetch(folder_of(found) / WEIGHTS)
    with trainer.import_weights(folder_of(found), job_of(found)) as process:
        for message in process.messages(TICK):
            if not lease.owned(found).exists():
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
    if lease.change(found, step=step):
        events.publish_import(found)


def register(found: ModelImport) -> None:
    """Turn the process's results into a model version and evaluate it. Raises ModelError."""
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
    if work.finish(
        found,
        lambda: queue_evaluations(version, found.dataset, found.created_by),
        step=Step.DONE,
        model_version=version,
    ):
        files.delete(folder)


def queue_evaluations(version: ModelVersion, dataset: Dataset | None, user: Any) -> None:
    """Evaluate on the test splits, or on all faces if there is none."""
    if dataset is None or not (counts := dataset.report.get("counts")):
        return
    for split in [split for split in counts if split != "Training"] or ["Training"]:
        evaluation, created = Evaluation.objects.get_or_create(
            version=version, dataset=dataset, split=split, defaults={"created_by": user}
        )
        if created:
            work.submit(evaluation)


def folder_of(found: ModelImport) -> Path:
    """Where the weights are kept until they become a model version."""
    return settings.TRAINING_DIR / "imports" / str(found.pk)


def job_of(found: ModelImport) -> WeightsJob:
    return {
        "architecture": found.architecture,
        "card": found.card,
        "max_bytes": settings.MAX_MODEL_BYTES,
    }
