"""The model versions: register, promote, roll back, archive; and this process's classifier.

A promotion changes two rows in one transaction. Every worker checks the active version before each
job, loads a new one beside the old one, warms it up, and switches.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import Max

from recognition.engine.classifier import SHIPPED_INT8, SHIPPED_MODEL, EmotionClassifier
from recognition.engine.errors import CodedError, ModelError
from recognition.models import ModelEvent, ModelVersion
from recognition.registry import cards, events, model_files
from recognition.registry.version_files import load_classifier

logger = logging.getLogger(__name__)

Action = ModelEvent.Action

RECENT_SECONDS = 1.0
# Seconds until a version that failed to load is tried again: the storage may be back.
RETRY_SECONDS = 10.0
Measure = Callable[[Sequence[ModelVersion]], cards.Comparison | None]
"""Versions compared on faces that this site scored all of them on; None without any."""

# Processes that register at the same time may pick the same number.
NUMBER_ATTEMPTS = 10

# How much accuracy or mean recall a version may lose that gains on the other.
TOLERATED = 0.003


class PromotionRefused(CodedError):
    """A version that can't be promoted or archived.

    Codes: already_active, not_comparable, worse, overtaken, nothing_before, active, and for a
    file that cannot be loaded unreadable_file and those of ModelError. Only not_comparable and
    worse can be overridden.
    """


# --- Registering -------------------------------------------------------------------------------


def register(
    onnx: bytes,
    card: cards.Card,
    *,
    int8: bytes | None = None,
    weights: bytes | None = None,
    keras: bytes | None = None,
    created_by: Any = None,
    note: str = "",
    shipped: bool = False,
    imported: bool = False,
) -> ModelVersion:
    """Store a model as the next version, or return the version that already has this file.

    `int8` is the same network in 8-bit numbers as ONNX, `weights` an npz, `keras` a .keras file,
    all written by the training process. Raises ModelError for a file that breaks
    EmotionClassifier's contract.
    """
    sha256 = hashlib.sha256(onnx).hexdigest()
    if known := ModelVersion.objects.filter(sha256=sha256).first():
        return known
    for content in filter(None, (onnx, int8)):
        model_files.check_answers(EmotionClassifier(content))
    version = ModelVersion(
        architecture=str(card.get("architecture") or "unknown")[:100],
        sha256=sha256,
        card=card,
        shipped=shipped,
        imported=imported,
        created_by=created_by,
        note=note,
    )
    version.onnx.save(f"{sha256}.onnx", ContentFile(onnx), save=False)
    if int8 is not None:
        version.int8_sha256 = hashlib.sha256(int8).hexdigest()
        version.int8.save(f"{version.int8_sha256}.onnx", ContentFile(int8), save=False)
    if weights is not None:
        version.weights_sha256 = hashlib.sha256(weights).hexdigest()
        name = f"{version.weights_sha256}.npz"
        version.weights.save(name, ContentFile(weights), save=False)
    if keras is not None:
        version.keras_sha256 = hashlib.sha256(keras).hexdigest()
        version.keras.save(f"{version.keras_sha256}.keras", ContentFile(keras), save=False)
    registered = _insert(version)
    if registered is not version:  # another process was faster
        files = (version.onnx, version.int8, version.weights, version.keras)
        for name in filter(None, (file.name for file in files)):
            default_storage.delete(name)
    else:
        logger.info("Registered model %s", version)
        if not shipped:  # registered at start-up, when nobody is connected yet
            transaction.on_commit(events.publish_models)
    return registered


def _insert(version: ModelVersion) -> ModelVersion:
    """Insert a row with the next free number, or return the one with the same file."""
    action = Action.IMPORTED if version.imported else Action.REGISTERED
    for attempt in range(NUMBER_ATTEMPTS):
        newest = ModelVersion.objects.aggregate(number=Max("number"))["number"] or 0
        version.number = newest + 1
        try:
            with transaction.atomic():
                version.save(force_insert=True)
                ModelEvent.objects.create(
                    action=action, version=version, user=version.created_by, reason=version.note
                )
            return version
        except IntegrityError:
            if known := ModelVersion.objects.filter(sha256=version.sha256).first():
                return known
            if attempt == NUMBER_ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def register_shipped_model() -> ModelVersion:
    """Register the network that ships with the code, unless it is registered already.

    It becomes active on a new site, and after an upgrade if the previous shipped one was active.
    """
    content = SHIPPED_MODEL.read_bytes()
    known = ModelVersion.objects.filter(sha256=hashlib.sha256(content).hexdigest()).first()
    card = json.loads(SHIPPED_MODEL.with_suffix(".json").read_text())
    keras, int8 = SHIPPED_MODEL.with_suffix(".keras").read_bytes(), SHIPPED_INT8.read_bytes()
    with transaction.atomic():
        version = known or register(content, card, int8=int8, keras=keras, shipped=True)
        active = ModelVersion.objects.filter(active=True).first()
        if active is None or (active.shipped and not known and active != version):
            _activate(version, active, Action.PROMOTED, reason="Shipped with the code.")
    return version


def import_onnx(
    content: bytes, card: bytes | None = None, *, user: Any = None, note: str = ""
) -> ModelVersion:
    """Check, try and register an ONNX file from elsewhere.

    `card` is JSON. Its metrics are claims: they are stored, but promotions don't rely on them.
    Raises ModelError: those of model_files.try_onnx, and invalid_card.
    """
    facts = cards.read_foreign(card) if card else {}
    trial = model_files.try_onnx(content, settings.MAX_MODEL_BYTES)
    facts |= {"bytes": len(content), "trial": asdict(trial)}
    return register(content, facts, created_by=user, note=note, imported=True)


# --- Which version is in use --------------------------------------------------------------------


def promote(
    version: ModelVersion,
    user: Any = None,
    *,
    confirmed: bool = False,
    reason: str = "",
    measure: Measure | None = None,
) -> None:
    """Make `version` the one that all workers use from their next job on.

    Raises PromotionRefused, and keeps the active one, if the file can't be loaded, if someone else
    was faster, or, unless `confirmed`, if the version has a lower accuracy or mean recall on the
    same data (see `find_objection`) or can't be compared. `measure` returns the site's own
    evaluations, which aren't in the cards.
    """
    active = active_version()
    if version.pk == active.pk:
        raise PromotionRefused("already_active", f"{_name(version)} is already active.")
    _check_loads(version)
    objection = find_objection(version, active, measure)
    if objection and not confirmed:
        raise objection
    _activate(version, active, Action.PROMOTED, user, reason, confirmed=objection is not None)
    transaction.on_commit(events.publish_models)


def find_objection(
    version: ModelVersion, active: ModelVersion, measure: Measure | None = None
) -> PromotionRefused | None:
    """The reason against promoting `version` over `active`, if any: by evaluations made here,
    or else by their cards, unless those were imported."""
    comparison = measure([active, version]) if measure else None
    if comparison is None and not (version.imported or active.imported):
        comparison = cards.compare(active.card, version.card)
    if comparison is None:
        return PromotionRefused(
            "not_comparable",
            f"{_name(version)} and {active} (active) weren't scored here on the same faces. "
            "Promote it only if you know that it is better.",
        )
    accuracy, recall = comparison["accuracy"], comparison["mean_recall"]
    gains = accuracy[1] - accuracy[0], recall[1] - recall[0]
    # One may cost a little of the other.
    if min(gains) < -TOLERATED or (min(gains) < 0 and max(gains) <= 0):
        return PromotionRefused(
            "worse",
            f"{_name(version)} is right on {accuracy[1]:.2%} of the {comparison['faces']} faces of "
            f"{comparison['split']} (mean recall {recall[1]:.2%}), {active} in use on "
            f"{accuracy[0]:.2%} ({recall[0]:.2%}).",
        )
    return None


def roll_back(user: Any = None, *, reason: str = "") -> ModelVersion:
    """Reactivate the previously active version and return it.

    Calling it again goes back one more. Raises PromotionRefused.
    """
    active = active_version()
    before = _versions_before(active)
    if not before:
        raise PromotionRefused("nothing_before", f"No version was active before {active}.")
    version = ModelVersion.objects.get(pk=before[0])
    _check_loads(version)
    _activate(version, active, Action.ROLLED_BACK, user, reason)
    transaction.on_commit(events.publish_models)
    return version


def archive(version: ModelVersion, user: Any = None, *, reason: str = "") -> None:
    """Archive a version; promoting it unarchives it. Raises PromotionRefused if it is active."""
    with transaction.atomic():
        shelved = ModelVersion.objects.filter(pk=version.pk, active=False)
        if shelved.filter(archived=False).update(archived=True):
            ModelEvent.objects.create(
                action=Action.ARCHIVED, version=version, user=user, reason=reason
            )
            transaction.on_commit(events.publish_models)
        elif not shelved.exists():
            raise PromotionRefused(
                "active", f"{_name(version)} is active. Promote another version first."
            )
    version.archived = True


def _activate(
    version: ModelVersion,
    previous: ModelVersion | None,
    action: Action,
    user: Any = None,
    reason: str = "",
    confirmed: bool = False,
) -> None:
    """Replace `previous` by `version`, unless `previous` is no longer active."""
    try:
        with transaction.atomic():
            if previous is not None:
                present = ModelVersion.objects.filter(pk=previous.pk, active=True)
                if not present.update(active=False):
                    raise _overtaken()
            # If two found no active version, the constraint lets one of them through.
            ModelVersion.objects.filter(pk=version.pk).update(active=True, archived=False)
            ModelEvent.objects.create(
                action=action,
                version=version,
                previous=previous,
                user=user,
                confirmed=confirmed,
                reason=reason,
            )
    except IntegrityError as error:
        raise _overtaken() from error
    version.active, version.archived = True, False
    logger.info("Model %s is now active instead of %s", version, previous)


def _overtaken() -> PromotionRefused:
    return PromotionRefused(
        "overtaken", "Someone else just changed the active version. Reload and try again."
    )


def _check_loads(version: ModelVersion) -> None:
    try:
        load_classifier(version)
    except Exception as error:  # storages raise their library's exceptions
        code = error.code if isinstance(error, ModelError) else "unreadable_file"
        raise PromotionRefused(code, f"{_name(version)} cannot be loaded: {error}") from error


def _versions_before(active: ModelVersion) -> list[int]:
    """The primary keys of the previously active versions, latest first.

    A promotion pushes a version onto this stack, a rollback pops one.
    """
    pile: list[int] = []
    steps = ModelEvent.objects.filter(action__in=[Action.PROMOTED, Action.ROLLED_BACK])
    rows = steps.order_by("pk").values_list("action", "version", "previous")
    for action, version, previous in rows:
        if not pile and previous:
            pile.append(previous)  # a site older than these events
        if action == Action.PROMOTED:
            pile.append(version)
        else:
            pile.pop()
    return [pk for pk in reversed(pile[:-1]) if pk != active.pk]


def _name(version: ModelVersion) -> str:
    return str(version).capitalize()


# --- This process's classifier -------------------------------------------------------------------

_asked_at = 0.0
# This process's version and classifier; replaced when another becomes active.
_loaded: tuple[ModelVersion, EmotionClassifier] | None = None
# The active version that failed to load, and when to try it again.
_refused: tuple[int, float] | None = None


def active_version() -> ModelVersion:
    """The active version; the shipped one if the site has none yet."""
    version = ModelVersion.objects.filter(active=True).first()
    return version or register_shipped_model()


def active_classifier() -> tuple[ModelVersion, EmotionClassifier]:
    """The active version and its classifier, loaded once and swapped when the active one changes.

    If the active one can't be loaded, this process keeps the one it has, or starts with the latest
    earlier one that can. Raises ModelError if there is none.
    """
    global _loaded, _refused
    version = active_version()
    if _loaded is not None:
        waiting = _refused and _refused[0] == version.pk and time.monotonic() < _refused[1]
        if _loaded[0].pk == version.pk or waiting:
            return _loaded
    try:
        _loaded = (version, load_classifier(version))
        _refused = None
        logger.info("Loaded model %s", version)
    except Exception:  # storages raise their library's exceptions
        _refused = (version.pk, time.monotonic() + RETRY_SECONDS)
        if _loaded is None:
            _loaded = _load_older(version)
        logger.exception("%s can't be loaded; %s stays active", _name(version), _loaded[0])
    return _loaded


def _load_older(active: ModelVersion) -> tuple[ModelVersion, EmotionClassifier]:
    for pk in _versions_before(active):
        version = ModelVersion.objects.get(pk=pk)
        try:
            return version, load_classifier(version)
        except Exception:
            logger.exception("%s can't be loaded either", version)
    raise ModelError("no_model", f"Neither {active} nor any earlier version can be loaded.")


def recent_classifier() -> tuple[ModelVersion, EmotionClassifier]:
    """Like active_classifier, but up to a second old: frames arrive many times a second."""
    global _asked_at
    now = time.monotonic()
    if _loaded is not None and now - _asked_at < RECENT_SECONDS:
        return _loaded
    _asked_at = now
    return active_classifier()
