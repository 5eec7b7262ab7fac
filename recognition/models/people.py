"""What people choose about their data, what they agree to, and who did what."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class Retention(models.Model):
    """After how many days somebody's entries are deleted by themselves; without a row: never."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="retention"
    )
    days = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.user}: {self.days} days"


class ConsentText(models.Model):
    """One version of what people agree to before they use the site, or one of its projects.

    Never changed: a new text is a new version, which everybody is asked about again.
    """

    project = models.CharField(
        max_length=50,
        blank=True,
        help_text="Leave empty for the text that everybody must accept to use this site. With a "
        "name, people accept it when they use that project.",
    )
    version = models.PositiveIntegerField(editable=False)
    body = models.TextField(
        verbose_name="text",
        help_text="Say who analyzes the faces, for what, on which legal ground, how long the "
        "results are kept, and whom to ask. Blank lines separate paragraphs.",
    )
    published_at = models.DateTimeField(auto_now_add=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    retired_at = models.DateTimeField(null=True, editable=False)  # then nobody is asked any more

    class Meta:
        ordering = ["project", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["project", "version"], name="one_text_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.project or 'this site'}, version {self.version}"


class Consent(models.Model):
    """That somebody accepted one version of a text, and whether they took it back."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="consents"
    )
    text = models.ForeignKey(ConsentText, on_delete=models.PROTECT, related_name="consents")
    accepted_at = models.DateTimeField(default=timezone.now)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-accepted_at", "-id"]
        indexes = [models.Index(fields=["user", "text"], name="consent_of_a_person")]

    def __str__(self) -> str:
        return f"consent {self.pk}"


class AuditEntry(models.Model):
    """One thing that somebody did or looked at. Written and deleted only in recognition.audit."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    user = models.ForeignKey(  # who; null once their account is deleted
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    action = models.CharField(max_length=60)  # of audit.actions
    subject = models.CharField(max_length=100, blank=True)  # what it was done to: its key
    address = models.GenericIPAddressField(null=True)  # from where
    key = models.CharField(max_length=8, blank=True)  # the prefix of the API key, of programs

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["user", "-at", "-id"], name="audit_of_a_person")]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}".strip()
