"""What the training process is given, and the lines of JSON that it says to the one who started it.

Neither Django nor TensorFlow is imported here: both sides read this.
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
    cache: str
    config: dict[str, Any]
    patience: int | None


class WeightsJob(TypedDict):
    """The content of job.json where WEIGHTS are to become a model; `card` is what was said of them.

    `temperature` divides the logits; `max_bytes` is what the file may unpack to.
    """

    architecture: str
    temperature: float
    card: dict[str, Any]
    max_bytes: int


class Batch(TypedDict):
    """Where the training stands, about once a second; `share` is that of the run's work, 0 to 1."""

    type: Literal["batch"]
    epoch: int
    batch: int
    batches: int
    share: float
    faces_per_second: float
    seconds_left: float | None


class Epochs(TypedDict):
    """All epochs of the checkpoint (training.core.checkpoint.Epoch), at the start and after each.

    All of them each time: whoever missed one, or has one that the checkpoint has not, is put right.
    """

    type: Literal["epochs"]
    epochs: list[dict[str, Any]]


class Evaluating(TypedDict):
    """The training is over; `faces_per_second`, at 48 pixels, if this process trained an epoch."""

    type: Literal["evaluating"]
    faces_per_second: float | None


class Done(TypedDict):
    """The folder holds the model, its card, its weights and its examination."""

    type: Literal["done"]


class Problem(TypedDict):
    """The run cannot succeed, however often it is tried."""

    type: Literal["problem"]
    code: str
    message: str


class Step(TypedDict):
    """What is done with weights that are imported."""

    type: Literal["step"]
    step: Literal["building", "exporting"]


class Measured(TypedDict):
    """The answer to --measure: faces a second at 48 pixels."""

    type: Literal["measured"]
    faces_per_second: float


TrainerMessage = Batch | Epochs | Evaluating | Done | Problem | Step | Measured
