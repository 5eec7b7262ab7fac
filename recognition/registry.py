"""The model versions, and the active classifier of this process."""

import hashlib
import json
import logging
import time
from pathlib import Path

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Max

from recognition.engine.classifier import SHIPPED_MODEL, EmotionClassifier
from recognition.engine.errors import ModelError
from recognition.models import ModelVersion

logger = logging.getLogger(__name__)

RECENT_SECONDS = 1.0

_asked_at = 0.0
# The version that this process holds, with its classifier; replaced when another is activated.
_loaded: tuple[ModelVersion, EmotionClassifier] | None = None


def active_classifier() -> tuple[ModelVersion, EmotionClassifier]:
    """The active version and its classifier, loaded once and swapped when the active one changes.

    Raises ModelError when the version's file is not the one that was registered.
    """
    global _loaded
    version = active_version()
    if _loaded is None or _loaded[0].pk != version.pk:
        _loaded = (version, load_classifier(version))
        logger.info("Loaded model %s", version)
    return _loaded


def recent_classifier() -> tuple[ModelVersion, EmotionClassifier]:
    """As active_classifier, but a second old at most: for frames, which come many a second."""
    global _asked_at
    now = time.monotonic()
    if _loaded is not None and now - _asked_at < RECENT_SECONDS:
        return _loaded
    _asked_at = now
    return active_classifier()


def active_version() -> ModelVersion:
    """The active version; the shipped one on a site that has registered none yet."""
    version = ModelVersion.objects.filter(active=True).first()
    return version or register_shipped_model()


def load_classifier(version: ModelVersion) -> EmotionClassifier:
    """The classifier of a version. Raises ModelError if its file was changed since."""
    with version.onnx.open() as file:
        content = file.read()
    if hashlib.sha256(content).hexdigest() != version.sha256:
        raise ModelError("changed_model", f"The file of {version} is not the one registered.")
    return EmotionClassifier(Path(version.onnx.path))


@transaction.atomic
def register_shipped_model() -> ModelVersion:
    """Register the network that comes with the code, unless it is registered already.

    It becomes active on a fresh site, and after an upgrade if the older shipped one was active.
    """
    content = SHIPPED_MODEL.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    if version := ModelVersion.objects.filter(sha256=sha256).first():
        return version
    card = json.loads(SHIPPED_MODEL.with_suffix(".json").read_text())
    newest = ModelVersion.objects.aggregate(number=Max("number"))["number"] or 0
    version = ModelVersion.objects.create(
        number=newest + 1,
        architecture=card["architecture"],
        sha256=sha256,
        onnx=ContentFile(content, name=f"{sha256}.onnx"),
        shipped=True,
        card=card,
    )
    active = ModelVersion.objects.filter(active=True).first()
    if active is None or active.shipped:
        activate(version)
    return version


@transaction.atomic
def activate(version: ModelVersion) -> None:
    """Make `version` the one that all workers use from their next job on."""
    ModelVersion.objects.filter(active=True).update(active=False)
    ModelVersion.objects.filter(pk=version.pk).update(active=True)
    version.active = True
