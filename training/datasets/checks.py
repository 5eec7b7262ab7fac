"""Checks a data set in the background: its content and its problems."""

import logging

from django.conf import settings
from django.core.files.base import ContentFile

from recognition.jobs import work
from training import files
from training.core.data.classes import ClassOptions
from training.core.data.inspection import Report, draw_samples, encode_jpeg, inspect
from training.models import Dataset

logger = logging.getLogger(__name__)


def check(dataset: Dataset) -> None:
    """Read the files of a claimed data set and store the report."""
    path, votes = files.data_of(dataset)
    classes = ClassOptions(**dataset.class_options)
    report, faces = inspect(path, votes, settings.DATASET_CACHE, classes)
    if faces is None:
        work.fail(dataset, report.code, summary(report), report=report.to_dict())
    else:
        sheet = ContentFile(encode_jpeg(draw_samples(faces)))
        dataset.sheet.save(f"{dataset.pk}.jpg", sheet, save=False)
        if not work.finish(dataset, report=report.to_dict(), sheet=dataset.sheet.name):
            dataset.sheet.delete(save=False)


def summary(report: Report) -> str:
    """The problems in a sentence or two; the report lists all."""
    if report.problem_count == 1:
        return report.problems[0]
    return f"{report.problem_count} entries can't be read. The first: {report.problems[0]}"
