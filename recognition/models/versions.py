"""Model versions and their audit trail."""

import hashlib
from typing import Any

from django.conf import settings
from django.db import models


def data_hash(card: dict[str, Any]) -> str:
    """A SHA-256 of the training files' contents; "" if none are named."""
    contents = sorted(set(card.get("data", {}).values()))
    return hashlib.sha256("\n".join(contents).encode()).hexdigest() if contents else ""


class ModelVersion(models.Model):
    """A registered classifier: immutable files and card; at most one version is active.

    Only `active` and `archived` ever change, and only in registry.py. Versions are never
    deleted: old results name them.
    """

    number = models.PositiveIntegerField(unique=True)
    architecture = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64, unique=True)
    onnx = models.FileField(upload_to="models")
    int8 = models.FileField(upload_to="models", blank=True)  # the same network in 8-bit numbers
    int8_sha256 = models.CharField(max_length=64, blank=True)
    weights = models.FileField(upload_to="models", blank=True)  # npz: the trained weights
    weights_sha256 = models.CharField(max_length=64, blank=True)
    keras = models.FileField(upload_to="models", blank=True)  # for download only: never loaded here
    keras_sha256 = models.CharField(max_length=64, blank=True)
    card = models.JSONField(default=dict)
    shipped = models.BooleanField(default=False)
    imported = models.BooleanField(default=False)  # made elsewhere: its figures are only claims
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
        return data_hash(self.card)


class ModelEvent(models.Model):
    """The audit trail of the model versions; written only by registry.py.

    `user` is null for the system, a command without --user, and a deleted account.
    """

    class Action(models.TextChoices):
        REGISTERED = "registered"
        IMPORTED = "imported"
        PROMOTED = "promoted"
        ROLLED_BACK = "rolled_back"
        ARCHIVED = "archived"

    action = models.CharField(max_length=12, choices=Action)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="events")
    # The version that was active before a promotion or rollback.
    previous = models.ForeignKey(
        ModelVersion, null=True, on_delete=models.PROTECT, related_name="+"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    confirmed = models.BooleanField(default=False)  # promoted although the check refused it
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.version} {self.get_action_display().lower()}"
