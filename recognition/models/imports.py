"""Imports of many photos at once."""

from django.conf import settings
from django.db import models

from recognition.models.analyses import Analysis
from recognition.models.jobs import Job


class MediaImport(Job):
    """The import of a folder, zip or part of a bucket into somebody's history.

    `created_by` is the administrator who began it. `options` are those of an upload: tags,
    face_mode, detail, detector.
    """

    queue = "exports"  # its worker has threads to spare, and hours in one delay no photo

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    source = models.TextField()
    options = models.JSONField(default=dict)
    seen = models.PositiveIntegerField(default=0)  # files so far
    imported = models.PositiveIntegerField(default=0)
    repeated = models.PositiveIntegerField(default=0)  # the same content was imported before
    refused = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"the import of {self.source}"


class ImportedFile(models.Model):
    """A file of an import: what became of it. A refused one has an error."""

    media_import = models.ForeignKey(MediaImport, on_delete=models.CASCADE, related_name="files")
    path = models.TextField()  # within the source
    sha256 = models.CharField(max_length=64, blank=True)
    analysis = models.ForeignKey(Analysis, null=True, on_delete=models.CASCADE, related_name="+")
    error_code = models.CharField(max_length=50, blank=True)
    error_message = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["sha256"], name="imported_content")]

    def __str__(self) -> str:
        return self.path
