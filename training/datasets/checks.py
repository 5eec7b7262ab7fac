"""The check of a data set in the background: what it holds, and what is wrong with it."""

import logging
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile

from recognition.jobs import work
from training.core.data.inspection import Report, draw_samples, encode_jpeg, inspect
from training.models import Dataset

logger = logging.getLogger(__name__)


def check(dataset: Dataset) -> None:
    """Read the files of a data set that this worker holds, and say what they hold."""
    votes = Path(dataset.votes_path) if dataset.votes_path else None
    report, faces = inspect(Path(dataset.path), votes, settings.DATASET_CACHE)
    if faces is None:
        work.fail(dataset, "malformed", summary(report), report=report.to_dict())
    else:
        sheet = ContentFile(encode_jpeg(draw_samples(faces)))
        dataset.sheet.save(f"{dataset.pk}.jpg", sheet, save=False)
        if not work.finish(dataset, report=report.to_dict(), sheet=dataset.sheet.name):
            dataset.sheet.delete(save=False)


def summary(report: Report) -> str:
    """What is wrong, in a sentence or two; the report lists it all."""
    if report.problem_count == 1:
        return report.problems[0]
    return f"{report.problem_count} entries cannot be read. The first: {report.problems[0]}"
