"""Model versions as shown by pages, the API and commands, alone and compared."""

from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from recognition.engine.align import align_faces
from recognition.engine.detector import FaceDetector
from recognition.engine.emotions import EMOTIONS
from recognition.models import ModelEvent, ModelVersion
from recognition.registry import cards
from recognition.registry.version_files import load_classifier


class EventState(TypedDict):
    """An audit trail entry; versions by number."""

    action: str
    version: int
    previous: int | None
    user: str | None
    confirmed: bool
    reason: str
    created_at: str


class VersionState(TypedDict):
    """A model version; `state` is one of active, archived, available.

    `accuracy` and `mean_recall` (that of the classes, as if all had the same share) are by split.
    """

    number: int
    state: str
    origin: str
    architecture: str
    parameters: int | None
    bytes: int | None
    accuracy: dict[str, float]
    mean_recall: dict[str, float]
    sha256: str
    weights_sha256: str | None
    keras_sha256: str | None
    data_hash: str | None
    code: str | None
    note: str
    created_by: str | None
    created_at: str


class FaceReadings(TypedDict):
    """One face of a photo: its box in pixels, and each version's probabilities in order."""

    box: dict[str, float]
    probabilities: list[dict[str, float]]


def describe_version(version: ModelVersion) -> VersionState:
    """The state of a version, without its card."""
    card = version.card
    figures = card.get("figures", {})
    return {
        "number": version.number,
        "state": _state(version),
        "origin": _origin(version),
        "architecture": version.architecture,
        "parameters": card.get("parameters"),
        "bytes": card.get("bytes"),
        "accuracy": {split: one["accuracy"] for split, one in figures.items()},
        "mean_recall": {split: cards.mean_recall(one) for split, one in figures.items()},
        "sha256": version.sha256,
        "weights_sha256": version.weights_sha256 or None,
        "keras_sha256": version.keras_sha256 or None,
        "data_hash": version.data_hash or None,
        "code": card.get("code"),
        "note": version.note,
        "created_by": _name(version.created_by),
        "created_at": version.created_at.isoformat(),
    }


def describe_event(event: ModelEvent) -> EventState:
    return {
        "action": event.action,
        "version": event.version.number,
        "previous": event.previous.number if event.previous else None,
        "user": _name(event.user),
        "confirmed": event.confirmed,
        "reason": event.reason,
        "created_at": event.created_at.isoformat(),
    }


def compare(versions: Sequence[ModelVersion]) -> cards.Comparison | None:
    """Versions compared on the split that all were scored on; the first is the baseline."""
    return cards.compare(*(version.card for version in versions))


def compare_on_photo(
    versions: Sequence[ModelVersion], rgb: NDArray[np.uint8], detector: FaceDetector
) -> list[FaceReadings]:
    """The faces of a photo, RGB uint8 [height, width, 3], classified by each version.

    Raises ModelError for a version whose file can't be loaded.
    """
    detections = detector.detect(rgb)
    faces = align_faces(rgb, [detection.landmarks for detection in detections])
    readings = [load_classifier(version).predict(faces) for version in versions]
    return [
        {
            "box": {side: getattr(detection.box, side) for side in ("x", "y", "width", "height")},
            "probabilities": [
                dict(zip(EMOTIONS, rows[index].tolist(), strict=True)) for rows in readings
            ],
        }
        for index, detection in enumerate(detections)
    ]


def _state(version: ModelVersion) -> str:
    if version.active:
        return "active"
    return "archived" if version.archived else "available"


def _origin(version: ModelVersion) -> str:
    if version.shipped:
        return "shipped"
    return "imported" if version.imported else "trained"


def _name(user: Any) -> str | None:
    return (user.email or user.get_username()) if user else None
