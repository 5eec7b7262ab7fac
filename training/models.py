"""The database models: data sets, training runs and their epochs, evaluations."""

from typing import Any

from django.db import models

from recognition.models import Job, ModelVersion

ORDER_CHOICES = [(order, order) for order in ("fer2013", "alphabetical")]


class Dataset(Job):
    """Labeled faces: uploaded files, or files in the server's folder for data sets.

    The job is the check of the files; a data set can be trained on once it has succeeded. `report`
    is its result (training.core.data.inspection.Report as a dictionary).
    """

    name = models.CharField(max_length=200)
    path = models.CharField(max_length=500)  # absolute
    votes_path = models.CharField(max_length=500, blank=True)
    uploaded = models.BooleanField()  # uploaded files are deleted with the row
    size = models.PositiveBigIntegerField()  # bytes
    sha256 = models.CharField(max_length=64, unique=True)  # of data and votes together
    # What to do with folders whose names are no class (training.core.data.classes.ClassOptions).
    leave_out_unknown = models.BooleanField(default=False)
    class_order = models.CharField(max_length=12, choices=ORDER_CHOICES, blank=True)
    report = models.JSONField(default=dict)
    sheet = models.FileField(upload_to="datasets", blank=True)  # samples of each class

    def __str__(self) -> str:
        return self.name

    @property
    def class_options(self) -> dict[str, Any]:
        return {"leave_out_unknown": self.leave_out_unknown, "order": self.class_order}


class TrainingRun(Job):
    """One training: its configuration, progress and result."""

    class Phase(models.TextChoices):
        WAITING = "waiting"
        STARTING = "starting"
        TRAINING = "training"
        EVALUATING = "evaluating"
        DONE = "done"

    queue = "training"

    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="runs")
    preset = models.CharField(max_length=20)
    config = models.JSONField()  # training.core.config.TrainingConfig as a dictionary
    patience = models.PositiveIntegerField(null=True)  # epochs without a new best; null: no limit
    note = models.CharField(max_length=200, blank=True)
    phase = models.CharField(max_length=12, choices=Phase, default=Phase.WAITING)
    cancel_requested = models.BooleanField(default=False)
    estimated_seconds = models.FloatField(null=True)  # set when it starts
    progress = models.JSONField(default=dict)  # training.runs.events.Progress
    log = models.TextField(blank=True)  # its tail
    model_version = models.ForeignKey(
        ModelVersion, null=True, on_delete=models.SET_NULL, related_name="runs"
    )

    class Meta(Job.Meta):
        indexes = [
            models.Index(
                fields=["status", "enqueued_at"],
                condition=models.Q(status__in=["queued", "running"]),
                name="run_unfinished",
            )
        ]

    def __str__(self) -> str:
        return f"{self.config.get('architecture')} on {self.dataset}"


class ModelImport(Job):
    """The import of a model file from elsewhere.

    Weights are turned into a model on the training queue; an ONNX file is tried at once, and its
    row is stored when that has succeeded. `card` is the model's card.
    """

    class Step(models.TextChoices):
        WAITING = "waiting"
        BUILDING = "building"
        EXPORTING = "exporting"
        REGISTERING = "registering"
        DONE = "done"

    queue = "training"

    name = models.CharField(max_length=200)  # of the file
    architecture = models.CharField(max_length=100, blank=True)
    card = models.JSONField(default=dict)
    note = models.CharField(max_length=200, blank=True)
    step = models.CharField(max_length=12, choices=Step, default=Step.WAITING)
    dataset = models.ForeignKey(  # evaluated on this afterwards
        Dataset, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    model_version = models.ForeignKey(
        ModelVersion, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    def __str__(self) -> str:
        return f"the import of {self.name}"


class Epoch(models.Model):
    """The metrics of one finished epoch (training.core.checkpoint.Epoch)."""

    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="epochs")
    number = models.PositiveIntegerField()
    side = models.PositiveIntegerField()
    learning_rate = models.FloatField()
    seconds = models.FloatField()  # since the run began, not counting interruptions
    loss = models.FloatField()
    accuracy = models.FloatField()
    validation_loss = models.FloatField()
    validation_accuracy = models.FloatField()
    validation_macro_f1 = models.FloatField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="one_epoch_per_number")
        ]

    def __str__(self) -> str:
        return f"epoch {self.number} of {self.run}"


class Evaluation(Job):
    """A model version on one split of a data set.

    `figures` are those of training.core.evaluate.Evaluation, `mistakes` the most confident
    wrong answers in the order in which `picture` shows them.
    """

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="evaluations")
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="evaluations")
    run = models.ForeignKey(
        TrainingRun, null=True, on_delete=models.SET_NULL, related_name="evaluations"
    )
    split = models.CharField(max_length=20)  # FER2013's names, or "validation"
    figures = models.JSONField(default=dict)
    mistakes = models.JSONField(default=list)
    picture = models.FileField(upload_to="evaluations", blank=True)

    class Meta(Job.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["version", "dataset", "split"], name="one_evaluation_per_split"
            )
        ]

    def __str__(self) -> str:
        return f"{self.version} on {self.split} of {self.dataset}"


class Speed(models.Model):
    """How fast this site's training machine trains a network: measured before the first run,
    and updated by each run."""

    architecture = models.CharField(max_length=50, unique=True)
    faces_per_second = models.FloatField()  # at 48 pixels
    measured_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.architecture}: {self.faces_per_second:.0f} faces per second"
