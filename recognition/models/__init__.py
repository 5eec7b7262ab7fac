"""The database models, one module per noun."""

from recognition.models.analyses import (
    CORRECTION_CHOICES,
    EMOTION_CHOICES,
    NOT_A_FACE,
    Analysis,
    Face,
    Track,
)
from recognition.models.imports import ImportedFile, MediaImport
from recognition.models.jobs import Export, Job, QueueSwitch
from recognition.models.people import AuditEntry, Consent, ConsentText, Retention
from recognition.models.programs import Allowance, ApiKey, Delivery, IdempotentRequest, Webhook
from recognition.models.versions import ModelEvent, ModelVersion
from recognition.models.videos import Marker, Upload, Video, VideoPart

__all__ = [
    "CORRECTION_CHOICES",
    "EMOTION_CHOICES",
    "NOT_A_FACE",
    "Allowance",
    "Analysis",
    "ApiKey",
    "AuditEntry",
    "Consent",
    "ConsentText",
    "Delivery",
    "Export",
    "Face",
    "IdempotentRequest",
    "ImportedFile",
    "Job",
    "Marker",
    "MediaImport",
    "ModelEvent",
    "ModelVersion",
    "QueueSwitch",
    "Retention",
    "Track",
    "Upload",
    "Video",
    "VideoPart",
    "Webhook",
]
