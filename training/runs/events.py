"""The events about training runs."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from recognition import metrics
from recognition.describe import Message
from recognition.events import STAFF_GROUP as GROUP
from recognition.events import publish
from recognition.models import Job
from training.describe import EvaluationState, _error, describe_evaluation
from training.models import Epoch, TrainingRun

if TYPE_CHECKING:
    from prometheus_client.core import Metric


class Progress(TypedDict):
    """The progress of a running training; `share` is 0 to 1; `epochs` is null if time is the
    limit."""

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
    """A run with the other data on its page."""

    epochs: list[EpochState]
    evaluations: list["EvaluationState"]


class RunChanged(TypedDict):
    """`epochs` are new since the previous event; pages reload if any are missing."""

    type: Literal["run.changed"]
    run: RunState
    epochs: list[EpochState]


class RunDeleted(TypedDict):
    type: Literal["run.deleted"]
    id: str


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
    state: Any = {name: getattr(epoch, name) for name in EpochState.__annotations__}
    return state


def run_metrics() -> Iterable["Metric"]:
    """How far the running training is; nothing while none runs."""
    epochs = metrics.gauge("training_epoch", "Finished epochs of the running training.")
    accuracy = metrics.gauge(
        "training_validation_accuracy", "Accuracy of its last epoch on the validation part."
    )
    run = TrainingRun.objects.filter(status=Job.Status.RUNNING).order_by("started_at").first()
    if run:
        last = run.epochs.order_by("-number").first()
        epochs.add_metric([], last.number if last else 0)
        if last:
            accuracy.add_metric([], last.validation_accuracy)
    return [epochs, accuracy]


metrics.SOURCES["runs"] = run_metrics


def place_of(run: TrainingRun) -> int | None:
    """A queued run's place in the queue, from 1; None for other runs."""
    if run.status != Job.Status.QUEUED:
        return None
    waiting = TrainingRun.objects.filter(status=Job.Status.QUEUED)
    return 1 + waiting.filter(enqueued_at__lt=run.enqueued_at).exclude(pk=run.pk).count()
