"""What people choose about their data."""

from django.conf import settings
from django.db import models


class Retention(models.Model):
    """After how many days somebody's entries are deleted by themselves; without a row: never."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="retention"
    )
    days = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.user}: {self.days} days"
