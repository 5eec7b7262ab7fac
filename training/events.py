"""What administrators' pages are told about trainings: payloads, the group, publish()."""

from collections.abc import Sequence
from typing import Any, Literal, TypedDict

from django.urls import reverse

from recognition import comparison
from recognition.cards import TEST_SPLITS, Comparison, hold_together
from recognition.events import STAFF_GROUP as GROUP
from recognition.events import Message, publish
from recognition.models import Job, ModelVersion
from training.models import Dataset, Epoch, Evaluation, ModelImport, TrainingRun

ALL_SPLITS = (*TEST_SPLITS, "Training")  # the validation part is each version's own


class DatasetState(TypedDict):
    """A data set; `report` as training.core.inspection.Report, empty before the check."""

    id: str
    name: str
    status: str
    sequence: int
    uploaded: bool
    file: str
    votes_file: str | None
    size: int
    sha256: str
    created_at: str
    report: dict[str, Any]
    error: Message | None
    sheet_url: str | None


class Progress(TypedDict):
    """Where a running training stands; `share` is that of its work, 0 to 1; `epochs` is null where
    the time decides."""

    epoch: int
    epochs: int | None
    batch: int
    batches: int
    share: float
    faces_per_second: float
    seconds_left: float | None


class EpochState(TypedDict):
    number: int
    side: int
    learning_rate: float
    seconds: float
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    validation_macro_f1: float


class RunState(TypedDict):
    """A run without its epochs, as in lists and events. `place` counts from 1 for the next run."""

    id: str
    status: str
    phase: str
    sequence: int
    place: int | None
    attempts: int
    dataset: dict[str, str]
    preset: str
    config: dict[str, Any]
    patience: int | None
    note: str
    created_by: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    estimated_seconds: float | None
    canceling: bool
    progress: Progress | None
    epoch_count: int
    best_accuracy: float | None
    log: str
    model_version: int | None
    error: Message | None


class RunDetail(RunState):
    """A run with what its page shows besides."""

    epochs: list[EpochState]
    evaluations: list["EvaluationState"]


class EvaluationState(TypedDict):
    """A model version on a split; figures as training.core.evaluate.Evaluation gives them."""

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


class ImportState(TypedDict):
    """A model file on its way into the registry."""

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


class DatasetChanged(TypedDict):
    type: Literal["dataset.changed"]
    dataset: DatasetState


class DatasetDeleted(TypedDict):
    type: Literal["dataset.deleted"]
    id: str


class RunChanged(TypedDict):
    """`epochs` are those that are new since the event before; what is missing is read again."""

    type: Literal["run.changed"]
    run: RunState
    epochs: list[EpochState]


class RunDeleted(TypedDict):
    type: Literal["run.deleted"]
    id: str


class ImportChanged(TypedDict):
    type: Literal["import.changed"]
    model_import: ImportState


class ImportDeleted(TypedDict):
    type: Literal["import.deleted"]
    id: str


class EvaluationChanged(TypedDict):
    type: Literal["evaluation.changed"]
    evaluation: EvaluationState


def publish_dataset(dataset: Dataset) -> None:
    event: DatasetChanged = {"type": "dataset.changed", "dataset": describe_dataset(dataset)}
    publish(GROUP, event)


def publish_dataset_deletion(pk: str) -> None:
    event: DatasetDeleted = {"type": "dataset.deleted", "id": pk}
    publish(GROUP, event)


def publish_run(run: TrainingRun, epochs: list[Epoch] | None = None) -> None:
    event: RunChanged = {
        "type": "run.changed",
        "run": describe_run(run),
        "epochs": [describe_epoch(epoch) for epoch in epochs or []],
    }
    publish(GROUP, event)


def publish_run_deletion(pk: str) -> None:
    event: RunDeleted = {"type": "run.deleted", "id": pk}
    publish(GROUP, event)


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


def describe_dataset(dataset: Dataset) -> DatasetState:
    return {
        "id": str(dataset.pk),
        "name": dataset.name,
        "status": dataset.status,
        "sequence": dataset.sequence,
        "uploaded": dataset.uploaded,
        "file": dataset.path.rsplit("/", 1)[-1],
        "votes_file": dataset.votes_path.rsplit("/", 1)[-1] or None,
        "size": dataset.size,
        "sha256": dataset.sha256,
        "created_at": dataset.created_at.isoformat(),
        "report": dataset.report,
        "error": _error(dataset),
        "sheet_url": reverse("api-dataset-sheet", args=[dataset.pk]) if dataset.sheet else None,
    }


def describe_run(run: TrainingRun) -> RunState:
    """A run as lists and events show it."""
    best = max((epoch.validation_accuracy for epoch in run.epochs.all()), default=None)
    return {
        "id": str(run.pk),
        "status": run.status,
        "phase": run.phase,
        "sequence": run.sequence,
        "place": place_of(run),
        "attempts": run.attempts,
        "dataset": {"id": str(run.dataset_id), "name": run.dataset.name},
        "preset": run.preset,
        "config": run.config,
        "patience": run.patience,
        "note": run.note,
        "created_by": run.created_by.email if run.created_by else None,
        "created_at": run.created_at.isoformat(),
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "estimated_seconds": run.estimated_seconds,
        "canceling": run.cancel_requested and not run.is_finished,
        "progress": run.progress or None,
        "epoch_count": len(run.epochs.all()),
        "best_accuracy": best,
        "log": run.log,
        "model_version": run.model_version.number if run.model_version else None,
        "error": _error(run),
    }


def describe_run_detail(run: TrainingRun) -> RunDetail:
    evaluations = run.evaluations.select_related("version", "dataset")
    return {
        **describe_run(run),
        "epochs": [describe_epoch(epoch) for epoch in run.epochs.all()],
        "evaluations": [describe_evaluation(evaluation) for evaluation in evaluations],
    }


def describe_epoch(epoch: Epoch) -> EpochState:
    return {name: getattr(epoch, name) for name in EpochState.__annotations__}


def describe_evaluation(evaluation: Evaluation) -> EvaluationState:
    address = reverse("api-evaluation-picture", args=[evaluation.pk])
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


def evaluations_of(version: ModelVersion) -> list[EvaluationState]:
    """What is known of a version: its evaluations, and what its card says of other splits."""
    stored = list(version.evaluations.select_related("version", "dataset"))
    own = {evaluation.split for evaluation in stored if evaluation.run_id}
    claimed = [split for split in version.card.get("figures", {}) if split not in own]
    return [
        *(describe_evaluation(evaluation) for evaluation in stored),
        *(_describe_claim(version, split) for split in claimed),
    ]


def compare(versions: Sequence[ModelVersion]) -> Comparison | None:
    """Versions side by side: on a split on which all were evaluated here, or else as their cards
    say; None where they were not scored on the same faces."""
    return compare_measured(versions, ALL_SPLITS) or comparison.compare(versions)


def compare_measured(
    versions: Sequence[ModelVersion], splits: Sequence[str] = TEST_SPLITS
) -> Comparison | None:
    """Versions side by side on one of these splits on which all were evaluated here, or None."""
    found: dict[tuple[str, str], dict[int, Evaluation]] = {}
    done = Evaluation.objects.filter(status=Job.Status.SUCCEEDED, version__in=versions)
    for one in done.filter(split__in=splits).select_related("dataset"):
        found.setdefault((one.split, str(one.dataset_id)), {})[one.version_id] = one
    # By name, the test splits come before that for training.
    for (split, _dataset), by_version in sorted(found.items()):
        if len(by_version) == len(versions):
            measured = [by_version[version.pk] for version in versions]
            name = f"{split}, {measured[0].dataset.name}"
            return hold_together(name, [one.figures for one in measured])
    return None


def curve_of(version: ModelVersion) -> list[EpochState]:
    """The epochs of the run that a version came from; none where there was no run."""
    run = version.runs.order_by("created_at").first()
    return [describe_epoch(epoch) for epoch in run.epochs.all()] if run else []


def _describe_claim(version: ModelVersion, split: str) -> EvaluationState:
    return {
        "id": "",
        "status": Job.Status.SUCCEEDED,
        "sequence": 0,
        "version": version.number,
        "dataset": {"id": "", "name": "as its card says"},
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


def place_of(run: TrainingRun) -> int | None:
    """The place of a queued run among those that wait, from 1; None for any other."""
    if run.status != Job.Status.QUEUED:
        return None
    waiting = TrainingRun.objects.filter(status=Job.Status.QUEUED)
    return 1 + waiting.filter(enqueued_at__lt=run.enqueued_at).exclude(pk=run.pk).count()


def _error(job: Job) -> Message | None:
    if not job.error_code:
        return None
    return {"code": job.error_code, "message": job.error_message}
