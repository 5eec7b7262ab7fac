"""The check of a data set in the background: what it holds, and what is wrong with it."""

import logging
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile

from recognition import jobs, tracebacks
from training import events
from training.core.data.inspection import Report, draw_samples, encode_jpeg, inspect
from training.models import Dataset

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
GAVE_UP = "The data set could not be checked in three attempts: add it again later."


def run_check(pk: str) -> None:
    """Check a queued data set; does nothing if somebody else has it or it is gone."""
    dataset = jobs.claim(Dataset.objects.filter(pk=pk))
    if dataset is None:
        return
    events.publish_dataset(dataset)
    try:
        with jobs.held_lease(dataset):
            check(dataset)
    except Exception as error:
        logger.exception("The check of %s broke off", dataset.pk)
        put_back(dataset, traceback=tracebacks.describe(error))


def check(dataset: Dataset) -> None:
    votes = Path(dataset.votes_path) if dataset.votes_path else None
    report, faces = inspect(Path(dataset.path), votes, settings.DATASET_CACHE)
    if faces is None:
        changed = jobs.fail(dataset, "malformed", summary(report), report=report.to_dict())
    else:
        sheet = ContentFile(encode_jpeg(draw_samples(faces)))
        dataset.sheet.save(f"{dataset.pk}.jpg", sheet, save=False)
        changed = jobs.finish(dataset, report=report.to_dict(), sheet=dataset.sheet.name)
        if not changed:
            dataset.sheet.delete(save=False)
    if changed:
        events.publish_dataset(dataset)


def summary(report: Report) -> str:
    """What is wrong, in a sentence or two; the report lists it all."""
    if report.problem_count == 1:
        return report.problems[0]
    return f"{report.problem_count} entries cannot be read. The first: {report.problems[0]}"


def put_back(dataset: Dataset, **values) -> None:
    if jobs.put_back(dataset, MOST_ATTEMPTS, GAVE_UP, **values):
        events.publish_dataset(dataset)


def requeue_stale(enqueue: Callable[[str], None]) -> None:
    """Bring back checks that a crash has stopped; `enqueue` sends the message for a key."""
    for dataset in jobs.abandoned(Dataset):
        put_back(dataset)
    for pk in jobs.forgotten(Dataset):
        enqueue(pk)
