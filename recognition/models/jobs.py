"""Background jobs: what all have in common, exports, paused queues."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone


class Job(models.Model):
    """A background job, from the queue to its end.

    `status` changes only in recognition.jobs. `sequence` counts announced changes, so a page can
    tell a newer state from an older one. `queue` is the Celery queue of its task.
    """

    queue = "maintenance"

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELED = "canceled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    sequence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_owner = models.CharField(max_length=36, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    worker = models.CharField(max_length=100, blank=True)  # host:pid of the last attempt
    created_at = models.DateTimeField(auto_now_add=True)
    waiting_since = models.DateTimeField(default=timezone.now)
    enqueued_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=50, blank=True)
    error_message = models.TextField(blank=True)
    traceback = models.TextField(blank=True)  # of the last attempt that failed

    class Meta:
        abstract = True
        ordering = ["-created_at", "-id"]

    @property
    def is_finished(self) -> bool:
        return self.status not in (self.Status.QUEUED, self.Status.RUNNING)


class QueueSwitch(models.Model):
    """A queue that was paused, or resumed since; changed only in pauses.py."""

    queue = models.CharField(max_length=50, unique=True)
    paused = models.BooleanField()
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        verbose_name_plural = "queue switches"

    def __str__(self) -> str:
        return f"{self.queue} {'paused' if self.paused else 'resumed'}"


class Export(Job):
    """Faces from someone's history as a file, made in the background.

    `rows` are those of a table; of an annotated video, its frames; of everything, the entries.
    `filters` are those of recognition.history.filters.HistoryFilter, as in a query string.
    """

    class Format(models.TextChoices):
        CSV = "csv"
        CSV_EXCEL = "csv_excel"
        XLSX = "xlsx"
        JSONL = "jsonl"
        PARQUET = "parquet"
        MP4 = "mp4"  # one video with its faces drawn onto it
        ZIP = "zip"  # everything that is the owner's, with all files

    KEPT = timedelta(days=7)  # when it is deleted with its file
    queue = "exports"

    created_by = None
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="exports"
    )
    format = models.CharField(max_length=10, choices=Format)
    filters = models.JSONField(default=dict)
    rows_done = models.PositiveIntegerField(default=0)
    rows_total = models.PositiveIntegerField(null=True)  # null until counted
    file = models.FileField(upload_to="exports", blank=True)
    size = models.PositiveBigIntegerField(default=0)  # bytes

    class Meta(Job.Meta):
        indexes = [models.Index(fields=["owner", "-created_at", "-id"], name="export_list")]

    def __str__(self) -> str:
        return f"export {self.pk} ({self.format})"

    @property
    def name(self) -> str:
        """Its name in lists of jobs: the content belongs to the owner."""
        others = {"mp4": "annotated video", "zip": "all of somebody's data"}
        return others.get(self.format, f"faces as {self.format}")

    @property
    def is_table(self) -> bool:
        return self.format not in {self.Format.MP4, self.Format.ZIP}

    @property
    def expires_at(self) -> datetime | None:
        return self.finished_at + self.KEPT if self.finished_at else None
