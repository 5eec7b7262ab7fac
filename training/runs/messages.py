"""The training process's input, and the JSON lines that it sends to its parent.

Both sides import this, so it imports neither Django nor TensorFlow.
"""

from typing import Any, Literal, TypedDict

JOB = "job.json"
LOG = "log.txt"
BEST = "best.npz"
EXAMINATION = "examination.json"
WEIGHTS = "weights.npz"


class TrainingJob(TypedDict):
    """The content of job.json: paths of the data, the config, and when to stop early."""

    data: str
    votes: str | None
    classes: dict[str, Any]  # of training.core.data.classes.ClassOptions
    cache: str
    config: dict[str, Any]
    patience: int | None


class WeightsJob(TypedDict):
    """The content of job.json for turning WEIGHTS into a model; `card` is their model card.

    `max_bytes` limits the unpacked size.
    """

    architecture: str
    card: dict[str, Any]
    max_bytes: int


class Batch(TypedDict):
    """The progress of the training, about once a second; `share` is 0 to 1."""

    type: Literal["batch"]
    epoch: int
    batch: int
    batches: int
    share: float
    faces_per_second: float
    seconds_left: float | None


class Epochs(TypedDict):
    """All epochs of the checkpoint (training.core.checkpoint.Epoch), at the start and after each.

    All of them each time, so receivers that missed some, or have too many, catch up.
    """

    type: Literal["epochs"]
    epochs: list[dict[str, Any]]


class Evaluating(TypedDict):
    """The training has ended; `faces_per_second` (at 48 pixels) if this process trained."""

    type: Literal["evaluating"]
    faces_per_second: float | None


class Done(TypedDict):
    """The folder contains the model, its card, weights and evaluations."""

    type: Literal["done"]


class Problem(TypedDict):
    """The run can't succeed; retrying won't help."""

    type: Literal["problem"]
    code: str
    message: str


class Step(TypedDict):
    """The steps of importing weights."""

    type: Literal["step"]
    step: Literal["building", "exporting"]


class Measured(TypedDict):
    """The answer to --measure: faces a second at 48 pixels."""

    type: Literal["measured"]
    faces_per_second: float


TrainerMessage = Batch | Epochs | Evaluating | Done | Problem | Step | Measured
