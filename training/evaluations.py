"""Any model version on any split of any data set, in the background and without TensorFlow."""

import logging
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile

from recognition import jobs, registry, tracebacks
from recognition.engine.errors import ModelError
from training import events
from training.core.data.datasets import load
from training.core.data.faces import DatasetError, rows_of
from training.core.data.inspection import encode_jpeg
from training.core.evaluate import examine
from training.models import Evaluation

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
GAVE_UP = "The evaluation could not be finished in three attempts: ask for it again later."


def run_evaluation(pk: str) -> None:
    """Carry out a queued evaluation; does nothing if somebody else has it or it is gone."""
    evaluation = jobs.claim(Evaluation.objects.filter(pk=pk))
    if evaluation is None:
        return
    events.publish_evaluation(evaluation)
    try:
        with jobs.held_lease(evaluation):
            evaluate(evaluation)
    except (DatasetError, ValueError) as error:
        end_failed(evaluation, "cannot_evaluate", str(error))
    except ModelError as error:
        end_failed(evaluation, error.code, error.message)
    except Exception as error:
        logger.exception("The evaluation %s broke off", evaluation.pk)
        put_back(evaluation, traceback=tracebacks.describe(error))


def evaluate(evaluation: Evaluation) -> None:
    dataset = evaluation.dataset
    votes = Path(dataset.votes_path) if dataset.votes_path else None
    faces = load(Path(dataset.path), settings.DATASET_CACHE, votes)
    classifier = registry.load_classifier(evaluation.version)
    rows = rows_of(evaluation.split, faces, evaluation.version.card)
    result = examine(classifier.predict, faces, rows)
    if result.picture is not None:
        picture = ContentFile(encode_jpeg(result.picture))
        evaluation.picture.save(f"{evaluation.pk}.jpg", picture, save=False)
    if jobs.finish(
        evaluation,
        figures=result.figures,
        mistakes=result.mistakes,
        picture=evaluation.picture.name,
    ):
        events.publish_evaluation(evaluation)


def end_failed(evaluation: Evaluation, code: str, message: str) -> None:
    if jobs.fail(evaluation, code, message):
        events.publish_evaluation(evaluation)


def put_back(evaluation: Evaluation, **values) -> None:
    if jobs.put_back(evaluation, MOST_ATTEMPTS, GAVE_UP, **values):
        events.publish_evaluation(evaluation)


def requeue_stale(enqueue: Callable[[str], None]) -> None:
    """Bring back evaluations that a crash has stopped; `enqueue` sends the message for a key."""
    for evaluation in jobs.abandoned(Evaluation):
        put_back(evaluation)
    for pk in jobs.forgotten(Evaluation):
        enqueue(pk)
