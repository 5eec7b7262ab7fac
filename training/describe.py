"""How evaluations are shown to the outside."""

from typing import Any, TypedDict

from recognition.describe import Message
from recognition.models import Job
from training.models import Evaluation


class EvaluationState(TypedDict):
    """A model version on a split; metrics as in training.core.evaluate.Evaluation."""

    id: str
    status: str
    sequence: int
    version: int
    dataset: dict[str, str]
    split: str
    figures: dict[str, Any]
    mistakes: list[dict[str, Any]]
    picture_url: str | None
    error: Message | None


def describe_evaluation(evaluation: Evaluation) -> EvaluationState:
    address = f"/api/v1/evaluations/{evaluation.pk}/picture/"
    return {
        "id": str(evaluation.pk),
        "status": evaluation.status,
        "sequence": evaluation.sequence,
        "version": evaluation.version.number,
        "dataset": {"id": str(evaluation.dataset_id), "name": evaluation.dataset.name},
        "split": evaluation.split,
        "figures": evaluation.figures,
        "mistakes": evaluation.mistakes,
        "picture_url": address if evaluation.picture else None,
        "error": _error(evaluation),
    }


def _error(job: Job) -> Message | None:
    if not job.error_code:
        return None
    return {"code": job.error_code, "message": job.error_message}
