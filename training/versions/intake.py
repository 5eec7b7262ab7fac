"""Imports model files: ONNX files are tried at once, weights are queued."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from recognition.engine.emotions import EMOTIONS
from recognition.engine.errors import ModelError
from recognition.jobs import work
from recognition.jobs.files import clean_name
from recognition.jobs.lease import Status
from recognition.photos.uploads import LimitedUpload, LimitedUploadHandler
from recognition.registry import cards, registry
from recognition.registry.model_files import check_size, read_weights
from training import files
from training.core.checkpoint import in_order, read_facts
from training.core.config import ARCHITECTURES
from training.models import Dataset, ModelImport
from training.runs.messages import WEIGHTS
from training.versions import events, imports

KINDS = (".onnx", ".npz")


class ModelUploadHandler(LimitedUploadHandler):
    """The upload handler for model files, which have their own limit."""

    @property
    def limit(self) -> int:
        return settings.MAX_MODEL_BYTES


def add_upload(
    user: User,
    file: LimitedUpload | None,
    card: LimitedUpload | None = None,
    fields: Mapping[str, str] | None = None,
) -> ModelImport:
    """Import an uploaded file like `add`; `fields` are architecture, dataset (its key), note."""
    fields = fields or {}
    limit = settings.MAX_MODEL_BYTES // 1024**2
    choose = f"Choose an ONNX or npz file of up to {limit} MB."
    if file is None:
        raise ModelError("no_file", choose)
    if file.too_large or (card and card.too_large):
        raise ModelError("too_large", choose)
    return add(
        user,
        file.name,
        file.read(),
        card=card.read() if card else None,
        architecture=fields.get("architecture", ""),
        dataset=_dataset(fields.get("dataset", "")),
        note=fields.get("note", ""),
    )


def add(
    user: User,
    name: str,
    content: bytes,
    *,
    card: bytes | None = None,
    architecture: str = "",
    dataset: Dataset | None = None,
    note: str = "",
    enqueue: bool = True,
) -> ModelImport:
    """Import a model file: a finished import for ONNX, a queued one for weights.

    `architecture` is optional if the file or the card names it. Raises ModelError: what
    registry.import_onnx, model_files.read_weights and foreign.in_order raise, wrong_kind,
    unknown_architecture, invalid_card; nothing is stored then.
    """
    if not name.lower().endswith(KINDS):
        raise ModelError(
            "wrong_kind",
            f"{name[:200]!r} has the wrong type. Choose {' or '.join(KINDS)}; turn other weights "
            "into an npz first.",
        )
    found = ModelImport(name=clean_name(name)[:200], note=note[:200], created_by=user)
    found.dataset = dataset
    if name.lower().endswith(".onnx"):
        return _register(found, content, card)
    return _queue(found, content, card, architecture, enqueue)


def remove(found: ModelImport) -> None:
    """Delete an import, and stop it if it is running; its version is kept."""
    folder, pk = imports.folder_of(found), str(found.pk)
    found.delete()
    files.delete(folder)
    events.publish_import_deletion(pk)


def _register(found: ModelImport, content: bytes, card: bytes | None) -> ModelImport:
    version = registry.import_onnx(content, card, user=found.created_by, note=found.note)
    found.architecture, found.model_version = version.architecture, version
    found.status, found.step = Status.SUCCEEDED, ModelImport.Step.DONE
    found.finished_at = timezone.now()
    found.save(force_insert=True)
    imports.queue_evaluations(version, found.dataset, found.created_by)
    events.publish_import(found)
    return found


def _queue(
    found: ModelImport, content: bytes, card: bytes | None, architecture: str, enqueue: bool
) -> ModelImport:
    check_size(content, settings.MAX_MODEL_BYTES)
    arrays = read_weights(content, settings.MAX_MODEL_BYTES)
    in_order(arrays)
    facts = read_facts(arrays)
    found.card = cards.read_foreign(card) if card else {}
    found.card.setdefault("config", facts.get("config", {}))
    found.architecture = _architecture(
        architecture or found.card.get("architecture") or found.card["config"].get("architecture")
    )
    found.card["temperature"] = _temperature(found.card.get("temperature", 1.0))
    _check_prior(found.card.get("class_prior"))
    folder = imports.folder_of(found)
    folder.mkdir(mode=0o700, parents=True)
    try:
        (folder / WEIGHTS).write_bytes(content)
        files.share(folder / WEIGHTS)
        with transaction.atomic():
            found.save(force_insert=True)
            if enqueue:
                work.submit(found)
    except BaseException:
        files.delete(folder)
        raise
    events.publish_import(found)
    return found


def _architecture(name: Any) -> str:
    there = f"these networks can hold weights: {', '.join(ARCHITECTURES)}."
    if not name:
        raise ModelError(
            "unknown_architecture", f"Choose the architecture of these weights; {there}"
        )
    if name not in ARCHITECTURES:
        raise ModelError(
            "unknown_architecture", f"There is no network {str(name)[:100]!r}; {there}"
        )
    return str(name)


def _temperature(value: Any) -> float:
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not known or not 0.01 <= value <= 100:
        raise ModelError("invalid_card", "The card's temperature must lie between 0.01 and 100.")
    return float(value)


def _check_prior(prior: Any) -> None:
    """Raises ModelError unless a card's class prior is missing or can be used."""
    try:
        if prior is None:
            return
        shares = [prior["shares"][emotion] for emotion in EMOTIONS]
        strength = prior["strength"]
        known = all(type(one) in (int, float) for one in (*shares, strength))
        if known and min(shares) > 0 and max(shares) <= 1 and 0 <= strength <= 2:
            return
    except (TypeError, KeyError):
        pass
    message = "The card's class_prior needs a strength from 0 to 2 and a share above 0 per class."
    raise ModelError("invalid_card", message)


def _dataset(key: str) -> Dataset | None:
    if not key:
        return None
    try:
        return Dataset.objects.get(pk=key, status=Status.SUCCEEDED)
    except (Dataset.DoesNotExist, ValueError, ValidationError):
        raise ModelError(
            "unknown_dataset", "There is no such data set, or its check hasn't succeeded."
        ) from None
