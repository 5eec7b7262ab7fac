"""Analyses and the faces found in them."""

from django.conf import settings
from django.db import models

from recognition.engine.emotions import EMOTIONS
from recognition.engine.types import DETAILS, DETECTORS, FACE_MODES
from recognition.models.derived import CopiedOwnerField, SearchTextField
from recognition.models.jobs import Job
from recognition.models.versions import ModelVersion

EMOTION_CHOICES = [(emotion, emotion) for emotion in EMOTIONS]
FACE_MODE_CHOICES = [(mode, mode) for mode in FACE_MODES]
DETAIL_CHOICES = [(detail, detail) for detail in DETAILS]
DETECTOR_CHOICES = [(detector, detector) for detector in DETECTORS]
NOT_A_FACE = "not_a_face"
CORRECTION_CHOICES = [*EMOTION_CHOICES, (NOT_A_FACE, "not a face")]


class Analysis(Job):
    """One photo or video from the queue to its result, or one kept webcam session."""

    class Kind(models.TextChoices):
        IMAGE = "image"
        WEBCAM = "webcam"
        VIDEO = "video"

    class Keep(models.TextChoices):
        """What is stored of the picture itself."""

        PICTURE = "picture"
        BLURRED = "blurred"  # with every face made unrecognizable
        NUMBERS = "numbers"  # nothing

    queue = "analyses"

    created_by = None
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="analyses"
    )
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.IMAGE)
    title = models.CharField(max_length=200)
    notes = models.TextField(blank=True)
    tags = models.JSONField(default=list)
    search_text = SearchTextField(default="", editable=False)

    # Files. The original upload waits in `source` and is deleted after the analysis; what is kept
    # is upright and has no metadata.
    source = models.FileField(upload_to="incoming", blank=True)
    photo = models.FileField(upload_to="photos", blank=True)
    thumbnail = models.FileField(upload_to="thumbnails", blank=True)
    media = models.FileField(upload_to="videos", blank=True)  # of a video, as browsers play it

    # Result.
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    face_count = models.PositiveIntegerField(default=0)  # a session's or video's tracks
    emotion = models.CharField(max_length=10, choices=EMOTION_CHOICES, blank=True)
    model_version = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT)
    requested_version = models.ForeignKey(  # unless the active one is wanted
        ModelVersion, null=True, on_delete=models.PROTECT, related_name="+"
    )
    stored_bytes = models.PositiveBigIntegerField(default=0)  # of photo, thumbnail and media
    milliseconds = models.JSONField(null=True)
    face_mode = models.CharField(max_length=10, choices=FACE_MODE_CHOICES, default="auto")
    detail = models.CharField(max_length=10, choices=DETAIL_CHOICES, default="normal")
    detector = models.CharField(max_length=10, choices=DETECTOR_CHOICES, default="fast")
    seconds = models.FloatField(null=True)  # the length of a session or video
    frame_count = models.PositiveIntegerField(default=0)  # its frames that were analyzed
    notices = models.JSONField(default=list)
    # With a default of the database: processes of the version before insert rows without it.
    keep = models.CharField(
        max_length=10, choices=Keep, default=Keep.PICTURE, db_default=Keep.PICTURE
    )

    class Meta(Job.Meta):
        verbose_name_plural = "analyses"
        indexes = [
            # In the order of the lists, covering what they filter and sum, so counting, summing and
            # jumping to a far page read only the index.
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
        return f"analysis {self.pk}"  # shown to administrators: the title belongs to the owner

    def get_absolute_url(self) -> str:
        # Spelled out here and in describe.py because workers need addresses but load no URLs.
        return f"/analyses/{self.pk}/"

    @property
    def has_thumbnail(self) -> bool:
        return bool(self.thumbnail)

    @property
    def is_retryable(self) -> bool:
        ended = self.status in {self.Status.FAILED, self.Status.CANCELED}
        return ended and bool(self.source) and self.keep == self.Keep.PICTURE

    def sum_up_tracks(self) -> None:
        """Store the expression that each track shows most often."""
        rows = self.faces.filter(track__isnull=False).values_list("track", "emotion")
        most: dict[int, tuple[int, str]] = {}
        for track, emotion, count in rows.annotate(count=models.Count("pk")).order_by():
            most[track] = max(most.get(track, (0, "")), (count, emotion))
        found = [Track(pk=pk, emotion=emotion) for pk, (_count, emotion) in most.items()]
        Track.objects.bulk_update(found, ["emotion"], batch_size=500)


class Track(models.Model):
    """One face across the frames of a session or video, numbered in order of appearance.

    While a video is read, numbers are provisional.
    """

    analysis = models.ForeignKey(Analysis, on_delete=models.CASCADE, related_name="tracks")
    number = models.PositiveBigIntegerField()
    name = models.CharField(max_length=100, blank=True)  # by the owner
    not_a_face = models.BooleanField(default=False)  # says the owner
    baseline = models.JSONField(null=True)  # what is neutral for this face: see baselines.py
    picture = models.BinaryField(null=True)  # JPEG, of a video
    emotion = models.CharField(max_length=10, blank=True)  # most frequent; "" until all are read

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["analysis", "number"], name="one_track_per_number")
        ]

    def __str__(self) -> str:
        return f"track {self.pk}"


class Face(models.Model):
    """A face in a photo or in one frame of a session or video: its place and its expression.

    Boxes and landmarks are in pixels of the upright photo or frame, origin at the top left.
    The owner's correction is stored beside the prediction and changes only in corrections.py.
    """

    analysis = models.ForeignKey(Analysis, on_delete=models.CASCADE, related_name="faces")
    owner = CopiedOwnerField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    track = models.ForeignKey(Track, null=True, on_delete=models.CASCADE, related_name="faces")
    time = models.FloatField(null=True)  # seconds since recording began, or in the video
    frame = models.PositiveIntegerField(null=True)  # its number in the video, from 0
    x = models.FloatField()
    y = models.FloatField()
    width = models.FloatField()
    height = models.FloatField()
    score = models.FloatField()
    landmarks = models.JSONField(default=dict)  # of photos alone
    probabilities = models.JSONField()  # in the order of EMOTIONS
    whole_picture = models.BooleanField(default=False)  # read without a detected face
    emotion = models.CharField(max_length=10, choices=EMOTION_CHOICES)
    probability = models.FloatField(default=0.0)  # of `emotion`
    sharpness = models.FloatField(null=True)  # engine.sharpness; not stored for a session
    measures = models.JSONField(null=True)  # in the order of engine.measures.MEASURES
    covered = models.FloatField(null=True)  # the probability that something hides a part of it
    mesh = models.BinaryField(null=True)  # of photos alone, see engine.mesh.pack
    correction = models.CharField(max_length=10, choices=CORRECTION_CHOICES, blank=True)
    corrected_at = models.DateTimeField(null=True)  # set if there is a correction

    class Meta:
        ordering = ["pk"]  # the engine's order: largest face first
        indexes = [
            models.Index(fields=["owner", "-id"], name="face_list"),
            models.Index(fields=["owner", "emotion", "-id"], name="face_list_by_emotion"),
            models.Index(fields=["analysis", "emotion"], name="face_emotions"),
            models.Index(
                fields=["analysis", "time"],
                condition=models.Q(time__isnull=False),
                name="face_times",
            ),
            models.Index(
                fields=["corrected_at"],
                condition=models.Q(corrected_at__isnull=False),
                name="face_corrected",
            ),
        ]

    def __str__(self) -> str:
        return f"face {self.pk}"  # shown to administrators: the expression belongs to the owner
