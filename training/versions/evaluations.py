"""Evaluates any model version on any split of any data set, without TensorFlow."""

import logging

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.base import ContentFile

from recognition.engine.errors import CodedError
from recognition.jobs import work
from recognition.jobs.lease import Status
from recognition.models import ModelVersion
from recognition.registry.version_files import load_classifier
from training import files
from training.core.data.classes import ClassOptions
from training.core.data.datasets import load
from training.core.data.faces import DatasetError, rows_of
from training.core.data.inspection import encode_jpeg
from training.core.evaluate import examine
from training.models import Dataset, Evaluation
from training.runs.launch import LaunchRefused

logger = logging.getLogger(__name__)


def evaluate(evaluation: Evaluation) -> None:
    """Evaluate a version on a split in this worker. Raises CodedError if that is impossible."""
    dataset = evaluation.dataset
    path, votes = files.data_of(dataset)
    classifier = load_classifier(evaluation.version)
    try:
        classes = ClassOptions(**dataset.class_options)
        faces = load(path, settings.DATASET_CACHE, votes, classes=classes)
        rows = rows_of(evaluation.split, faces, evaluation.version.card)
        result = examine(classifier.predict, faces, rows)
    except (DatasetError, ValueError) as error:
        raise CodedError("cannot_evaluate", str(error)) from error
    if result.picture is not None:
        picture = ContentFile(encode_jpeg(result.picture))
        evaluation.picture.save(f"{evaluation.pk}.jpg", picture, save=False)
    work.finish(
        evaluation,
        figures=result.figures,
        mistakes=result.mistakes,
        picture=evaluation.picture.name,
    )


def ask_evaluation(user: User, version: ModelVersion, dataset: Dataset, split: str) -> Evaluation:
    """The evaluation of a version on a split: the existing one, or a new one that is queued.

    A failed one is queued again. Raises LaunchRefused.
    """
    splits = [*dataset.report.get("counts", {}), "validation"]
    if dataset.status != Status.SUCCEEDED or split not in splits:
        raise LaunchRefused(
            "unknown_split", f"This data set has no split {split!r} to evaluate on.", "split"
        )
    evaluation, created = Evaluation.objects.get_or_create(
        version=version, dataset=dataset, split=split, defaults={"created_by": user}
    )
    if created:
        work.submit(evaluation)
    else:
        work.retry(evaluation)
    return evaluation
