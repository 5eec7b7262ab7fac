"""What belongs to videos: how they are read, the parts of the work, markers, uploads under way."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from recognition.models.analyses import Analysis
from recognition.models.jobs import Job


class Video(models.Model):
    """How an analysis reads its video, and what its file turned out to be."""

    analysis = models.OneToOneField(
        Analysis, primary_key=True, on_delete=models.CASCADE, related_name="video"
    )

    # What was asked for.
    fps = models.FloatField(null=True)  # frames a second to read; None for all
    start = models.FloatField(default=0.0)  # seconds
    end = models.FloatField(null=True)
    keep_audio = models.BooleanField(default=True)
    recorded = models.BooleanField(default=False)  # with the camera, on the live page
    # The live session beside the recording, whose numbers are shown until the video has been read;
    # and how many seconds of it had passed when the recording began.
    session = models.ForeignKey(Analysis, null=True, on_delete=models.SET_NULL, related_name="+")
    session_start = models.FloatField(default=0.0)

    # The file, as its packets show it.
    container = models.CharField(max_length=20, blank=True)
    codec = models.CharField(max_length=30, blank=True)
    audio_codec = models.CharField(max_length=30, blank=True)
    frame_rate = models.FloatField(null=True)  # on average
    frames = models.PositiveIntegerField(default=0)

    # The reading. Every planned instant was read or is missing for a reason.
    planned = models.PositiveIntegerField(default=0)
    missing = models.JSONField(default=dict)  # {reason: instants}

    def __str__(self) -> str:
        return f"video {self.pk}"

    @property
    def step(self) -> float:
        """Seconds between two frames that are read."""
        return 1 / (self.fps or self.frame_rate or 25)


class VideoPart(Job):
    """A part of the work on a video: a segment to read, or the copy for players.

    Rows of a segment are stored while it is read, and a worker that takes it over goes on where
    the last one stopped: at `position` seconds, with the frame `next_number`.
    """

    class Task(models.TextChoices):
        READ = "read"
        COPY = "copy"

    queue = "videos"

    created_by = None
    analysis = models.ForeignKey(Analysis, on_delete=models.CASCADE, related_name="parts")
    task = models.CharField(max_length=10, choices=Task)
    start = models.FloatField(default=0.0)
    end = models.FloatField(default=0.0)
    planned = models.PositiveIntegerField(default=0)
    present = models.PositiveIntegerField(default=0)  # planned instants that have a frame
    position = models.FloatField(default=0.0)
    next_number = models.PositiveIntegerField(default=0)
    read = models.PositiveIntegerField(default=0)  # instants so far
    share = models.FloatField(default=0.0)  # of a copy
    first_look = models.BinaryField(null=True)  # engine.shots, of the first and the last sample
    last_look = models.BinaryField(null=True)

    class Meta(Job.Meta):
        ordering = ["start"]
        indexes = [
            models.Index(
                fields=["status", "enqueued_at"],
                condition=models.Q(status__in=["queued", "running"]),
                name="video_part_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} of {self.analysis_id} from {self.start:g} s"


class Marker(models.Model):
    """A label at a time of a video or session, or over a span of it.

    An excluded span is left out of summaries and exports.
    """

    analysis = models.ForeignKey(Analysis, on_delete=models.CASCADE, related_name="markers")
    label = models.CharField(max_length=200, blank=True)
    start = models.FloatField()  # seconds
    end = models.FloatField(null=True)  # None for a moment
    excluded = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["start", "pk"]

    def __str__(self) -> str:
        return f"marker {self.pk}"


class Upload(models.Model):
    """A file that arrives in pieces (tus 1.0); its bytes wait in settings.UPLOADS_DIR."""

    KEPT = timedelta(hours=24)  # after the last piece

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads"
    )
    name = models.CharField(max_length=200)
    length = models.PositiveBigIntegerField(null=True)  # None until it is known
    offset = models.PositiveBigIntegerField(default=0)
    metadata = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    analysis = models.ForeignKey(Analysis, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["owner", "expires_at"], name="upload_list")]

    def __str__(self) -> str:
        return f"upload {self.pk}"

    def keep(self) -> None:
        self.expires_at = timezone.now() + self.KEPT
