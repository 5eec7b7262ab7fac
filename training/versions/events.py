"""The events about evaluations and imports."""

from typing import Literal, TypedDict

from recognition.describe import Message
from recognition.events import STAFF_GROUP as GROUP
from recognition.events import publish
from recognition.models import Job, ModelVersion
from training.describe import EvaluationState, _error, describe_evaluation
from training.models import Evaluation, ModelImport
from training.runs.events import EpochState, describe_epoch


class ImportState(TypedDict):
    """The import of a model file."""

    id: str
    status: str
    step: str
    sequence: int
    name: str
    architecture: str
    note: str
    created_by: str | None
    created_at: str
    model_version: int | None
    error: Message | None


class ImportChanged(TypedDict):
    type: Literal["import.changed"]
    model_import: ImportState


class ImportDeleted(TypedDict):
    type: Literal["import.deleted"]
    id: str


class EvaluationChanged(TypedDict):
    type: Literal["evaluation.changed"]
    evaluation: EvaluationState


def publish_evaluation(evaluation: Evaluation) -> None:
    state = describe_evaluation(evaluation)
    event: EvaluationChanged = {"type": "evaluation.changed", "evaluation": state}
    publish(GROUP, event)


def publish_import(found: ModelImport) -> None:
    event: ImportChanged = {"type": "import.changed", "model_import": describe_import(found)}
    publish(GROUP, event)


def publish_import_deletion(pk: str) -> None:
    event: ImportDeleted = {"type": "import.deleted", "id": pk}
    publish(GROUP, event)


def evaluations_of(version: ModelVersion) -> list[EvaluationState]:
    """A version's evaluations: those made here, and its card's for other splits."""
    stored = list(version.evaluations.select_related("version", "dataset"))
    own = {evaluation.split for evaluation in stored if evaluation.run_id}
    claimed = [split for split in version.card.get("figures", {}) if split not in own]
    return [
        *(describe_evaluation(evaluation) for evaluation in stored),
        *(_describe_claim(version, split) for split in claimed),
    ]


def curve_of(version: ModelVersion) -> list[EpochState]:
    """The epochs of the run that a version came from; empty without a run."""
    run = version.runs.order_by("created_at").first()
    return [describe_epoch(epoch) for epoch in run.epochs.all()] if run else []


def _describe_claim(version: ModelVersion, split: str) -> EvaluationState:
    return {
        "id": "",
        "status": Job.Status.SUCCEEDED,
        "sequence": 0,
        "version": version.number,
        "dataset": {"id": "", "name": "from the model card"},
        "split": split,
        "figures": version.card["figures"][split],
        "mistakes": [],
        "picture_url": None,
        "error": None,
    }


def describe_import(found: ModelImport) -> ImportState:
    return {
        "id": str(found.pk),
        "status": found.status,
        "step": found.step,
        "sequence": found.sequence,
        "name": found.name,
        "architecture": found.architecture,
        "note": found.note,
        "created_by": found.created_by.email if found.created_by else None,
        "created_at": found.created_at.isoformat(),
        "model_version": found.model_version.number if found.model_version else None,
        "error": _error(found),
    }
