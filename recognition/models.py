"""What is stored: model versions, analyses and the faces found in them."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from recognition import cards
from recognition.derived import CopiedOwnerField, SearchTextField
from recognition.engine.emotions import EMOTIONS

EMOTION_CHOICES = [(emotion, emotion) for emotion in EMOTIONS]
NOT_A_FACE = "not_a_face"
CORRECTION_CHOICES = [*EMOTION_CHOICES, (NOT_A_FACE, "not a face")]


class ModelVersion(models.Model):
    """A registered classifier: immutable files and card; at most one version is active.

    Only `active` and `archived` ever change, and only in registry.py. No version is deleted: old
    results name it.
    """

    number = models.PositiveIntegerField(unique=True)
    architecture = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64, unique=True)
    onnx = models.FileField(upload_to="models")
    weights = models.FileField(upload_to="models", blank=True)  # npz: the trained network itself
    weights_sha256 = models.CharField(max_length=64, blank=True)
    keras = models.FileField(upload_to="models", blank=True)  # written by us: never loaded here
    keras_sha256 = models.CharField(max_length=64, blank=True)
    card = models.JSONField(default=dict)
    shipped = models.BooleanField(default=False)
    imported = models.BooleanField(default=False)  # made elsewhere: its figures are claims
    active = models.BooleanField(default=False)
    archived = models.BooleanField(default=False)
    note = models.TextField(blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["active"], condition=models.Q(active=True), name="one_active_version"
            )
        ]

    def __str__(self) -> str:
        return f"version {self.number} ({self.architecture})"

    @property
    def data_hash(self) -> str:
        return cards.data_hash(self.card)


class ModelEvent(models.Model):
    """Who did what to the model versions, when and why; written only by registry.py.

    `user` is empty for the system, a command without --user, and an account deleted since.
    """

    class Action(models.TextChoices):
        REGISTERED = "registered"
        IMPORTED = "imported"
        PROMOTED = "promoted"
        ROLLED_BACK = "rolled_back"
        ARCHIVED = "archived"

    action = models.CharField(max_length=12, choices=Action)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="events")
    # The version that was active until a promotion or a roll-back.
    previous = models.ForeignKey(
        ModelVersion, null=True, on_delete=models.PROTECT, related_name="+"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    confirmed = models.BooleanField(default=False)  # promoted though the guard would refuse it
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.version} {self.get_action_display().lower()}"


class Analysis(models.Model):
    """One upload of a person from the queue to its result, or one kept webcam session.

    `status` changes only in analyses.py. `sequence` counts the changes that were announced, so
    that a page can tell a newer state from an older one.
    """

    class Kind(models.TextChoices):
        IMAGE = "image"
        WEBCAM = "webcam"

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELED = "canceled"

    queue = "analyses"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="analyses"
    )
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.IMAGE)
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    title = models.CharField(max_length=200)
    notes = models.TextField(blank=True)
    tags = models.JSONField(default=list)
    search_text = SearchTextField(default="", editable=False)
    sequence = models.PositiveIntegerField(default=0)

    # Files. The upload as it came waits in `source` and is deleted once it has been analyzed;
    # what stays is upright and carries no metadata.
    source = models.FileField(upload_to="incoming", blank=True)
    photo = models.FileField(upload_to="photos", blank=True)
    thumbnail = models.FileField(upload_to="thumbnails", blank=True)

    # Result.
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    face_count = models.PositiveIntegerField(default=0)  # of a session: its tracks
    emotion = models.CharField(max_length=10, choices=EMOTION_CHOICES, blank=True)
    model_version = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT)
    requested_version = models.ForeignKey(  # where not the active one is wanted
        ModelVersion, null=True, on_delete=models.PROTECT, related_name="+"
    )
    stored_bytes = models.PositiveBigIntegerField(default=0)  # of photo and thumbnail
    milliseconds = models.JSONField(null=True)
    seconds = models.FloatField(null=True)  # the length of a session
    frame_count = models.PositiveIntegerField(default=0)  # frames of a session that were analyzed
    notices = models.JSONField(default=list)
    error_code = models.CharField(max_length=50, blank=True)
    error_message = models.TextField(blank=True)
    traceback = models.TextField(blank=True)  # of the last attempt that broke off; for the staff

    # Work.
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_owner = models.CharField(max_length=36, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    worker = models.CharField(max_length=100, blank=True)  # host:pid of the last attempt
    created_at = models.DateTimeField(auto_now_add=True)
    waiting_since = models.DateTimeField(default=timezone.now)
    enqueued_at = models.DateTimeField(auto_now_add=True)  # when its last message was sent
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "analyses"
        indexes = [
            # Lists in their order; with what they are filtered by and what is summed up, so that
            # counting, summing and turning to a far page read the index alone.
            models.Index(
                fields=[
                    *["owner", "-created_at", "-id", "status", "kind", "emotion"],
                    *["model_version", "stored_bytes"],
                ],
                name="analysis_list",
            ),
            models.Index(fields=["owner", "-finished_at"], name="analysis_finished"),
            models.Index(
                fields=["status", "enqueued_at"],
                condition=models.Q(status__in=["queued", "running"]),
                name="analysis_unfinished",
            ),
            models.Index(fields=["status", "-finished_at"], name="analysis_ended"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("analysis-detail", args=[self.pk])

    @property
    def has_thumbnail(self) -> bool:
        return bool(self.thumbnail)

    @property
    def is_retryable(self) -> bool:
        ended = self.status in {self.Status.FAILED, self.Status.CANCELED}
        return ended and bool(self.source)


class Track(models.Model):
    """One face across the frames of a session, under the number that the session gave it."""

    analysis = models.ForeignKey(Analysis, on_delete=models.CASCADE, related_name="tracks")
    number = models.PositiveIntegerField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["analysis", "number"], name="one_track_per_number")
        ]

    def __str__(self) -> str:
        return f"track {self.number} of {self.analysis}"


class Face(models.Model):
    """A face in a photo or in one frame of a session: where it is, which expression it shows.

    Boxes and landmarks are in pixels of the upright photo or the frame, origin at the top left.
    What its owner corrected stands beside the prediction and changes only in corrections.py.
    """

    analysis = models.ForeignKey(Analysis, on_delete=models.CASCADE, related_name="faces")
    owner = CopiedOwnerField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    track = models.ForeignKey(Track, null=True, on_delete=models.CASCADE, related_name="faces")
    time = models.FloatField(null=True)  # seconds since the session was begun to be kept
    x = models.FloatField()
    y = models.FloatField()
    width = models.FloatField()
    height = models.FloatField()
    score = models.FloatField()
    landmarks = models.JSONField(default=dict)  # not stored for the faces of a session
    probabilities = models.JSONField()  # in the order of EMOTIONS
    emotion = models.CharField(max_length=10, choices=EMOTION_CHOICES)
    probability = models.FloatField(default=0.0)  # of `emotion`
    sharpness = models.FloatField(null=True)  # engine.sharpness; not stored for a session's faces
    correction = models.CharField(max_length=10, choices=CORRECTION_CHOICES, blank=True)
    corrected_at = models.DateTimeField(null=True)  # set where there is a correction

    class Meta:
        ordering = ["pk"]  # the engine's order: the most prominent face first
        indexes = [
            models.Index(fields=["owner", "-id"], name="face_list"),
            models.Index(fields=["owner", "emotion", "-id"], name="face_list_by_emotion"),
            models.Index(fields=["analysis", "emotion"], name="face_emotions"),
            models.Index(
                fields=["corrected_at"],
                condition=models.Q(corrected_at__isnull=False),
                name="face_corrected",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.emotion} in {self.analysis}"


class Job(models.Model):
    """Work in the background, from the queue to its end.

    `status` changes only in jobs.py. `sequence` counts the changes that were announced, so that a
    page can tell a newer state from an older one. `queue` names the Celery queue of the task that
    carries it out.
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
    traceback = models.TextField(blank=True)  # of the last attempt that broke off

    class Meta:
        abstract = True
        ordering = ["-created_at", "-id"]

    @property
    def is_finished(self) -> bool:
        return self.status not in (self.Status.QUEUED, self.Status.RUNNING)


class QueueSwitch(models.Model):
    """A queue that somebody has paused, or resumed since; changed only in pauses.py."""

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
    """The faces of a part of somebody's history as a file, made in the background.

    `filters` are those of recognition.filters.HistoryFilter, name and text as in an address.
    """

    class Format(models.TextChoices):
        CSV = "csv"
        JSONL = "jsonl"
        PARQUET = "parquet"

    KEPT = timedelta(days=7)  # after its end; then it is deleted with its file
    queue = "exports"

    created_by = None
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="exports"
    )
    format = models.CharField(max_length=10, choices=Format)
    filters = models.JSONField(default=dict)
    rows_done = models.PositiveIntegerField(default=0)
    rows_total = models.PositiveIntegerField(null=True)  # null until they were counted
    file = models.FileField(upload_to="exports", blank=True)
    size = models.PositiveBigIntegerField(default=0)  # bytes

    class Meta(Job.Meta):
        indexes = [models.Index(fields=["owner", "-created_at", "-id"], name="export_list")]

    def __str__(self) -> str:
        return f"export {self.pk} ({self.format})"

    @property
    def expires_at(self) -> datetime | None:
        return self.finished_at + self.KEPT if self.finished_at else None


class ApiKey(models.Model):
    """A program's way in, on behalf of its owner. Only a hash of it is stored."""

    class Scope(models.TextChoices):
        READ = "read"
        ANALYZE = "analyze"
        TRAIN = "train"

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys"
    )
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=8)  # what lists show, so that a key can be told by
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"


class Allowance(models.Model):
    """What an administrator allows one person beyond or below what everybody may."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="allowance"
    )
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    upload_mb = models.PositiveIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return f"allowance of {self.user}"


class IdempotentRequest(models.Model):
    """A request that carried an Idempotency-Key, and what it was answered with."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)  # null while it is being answered
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="one_answer_per_key")]

    def __str__(self) -> str:
        return self.key


class Webhook(models.Model):
    """An address of the owner that hears when an analysis has ended."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="webhooks"
    )
    url = models.URLField(max_length=500)
    secret = models.CharField(max_length=64)  # signs deliveries, so it must be kept readable
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.url


class Delivery(models.Model):
    """One event on its way to a webhook; its row is written together with what it tells of."""

    class Status(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        FAILED = "failed"

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=50)
    body = models.JSONField()
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    response_status = models.PositiveSmallIntegerField(null=True)
    response = models.CharField(max_length=500, blank=True)  # its beginning, or what went wrong
    created_at = models.DateTimeField(auto_now_add=True)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(status="pending"),
                name="delivery_pending",
            )
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.webhook}"
