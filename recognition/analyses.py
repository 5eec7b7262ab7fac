"""The life of an analysis: claimed, analyzed, finished or failed, swept up, deleted."""

import functools
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import asdict
from datetime import datetime, timedelta

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.utils import timezone

from recognition import events, idempotency, pauses, registry, tracebacks, version_files, webhooks
from recognition.derived import search_text
from recognition.engine import media, pipeline
from recognition.engine.detector import FaceDetector, MtcnnDetector
from recognition.engine.errors import MediaError
from recognition.engine.types import ImageAnalysis
from recognition.jobs import this_process
from recognition.models import Analysis, Export, Face, ModelVersion

logger = logging.getLogger(__name__)

Status = Analysis.Status

# Seconds; a photo that is done sooner goes from queued to its result without a word between.
NOT_WORTH_TELLING = 0.3
# A queued row this old whose queue is empty has lost its message.
LOST_AFTER = timedelta(seconds=10)
# On a site whose queue is never empty a row this old gets a second message to be sure.
SURELY_LOST_AFTER = timedelta(minutes=2)
# A file this old without a row belongs to nobody: a crash or a deleted account left it behind.
ORPHANED_AFTER = timedelta(hours=1)
# The fields whose folders hold nothing else.
STORED = [(Analysis, "source"), (Analysis, "photo"), (Analysis, "thumbnail"), (Export, "file")]


@functools.cache
def face_detector() -> FaceDetector:
    """This process's detector, loaded at its first photo."""
    return MtcnnDetector(min_face=settings.MIN_FACE, max_side=settings.MAX_SIDE)


def run_analysis(pk: str) -> None:
    """Analyze one queued photo; does nothing if somebody else has it or it is gone.

    A photo that cannot be read fails at once. Any other trouble (a full disk, a database that
    went away) puts the row back into the queue, at most MAX_ATTEMPTS times.
    """
    analysis = claim(pk)
    if analysis is None:
        return
    with held_lease(analysis):
        try:
            analyze_source(analysis)
        except MediaError as error:
            fail(analysis, error.code, error.message)
        except Exception as error:
            logger.exception("Analysis %s broke off", analysis.pk)
            # Read again: what a transaction wrote that was rolled back is still in memory.
            if held := owned(analysis).first():
                release(held, traceback=tracebacks.describe(error))


def claim(pk: str) -> Analysis | None:
    """Take a queued analysis for this worker, or None if it is not there to be taken."""
    if pauses.is_paused(Analysis.queue):
        return None
    now = timezone.now()
    owner = str(uuid.uuid4())
    claimed = Analysis.objects.filter(pk=pk, status=Status.QUEUED).update(
        status=Status.RUNNING,
        attempts=F("attempts") + 1,
        sequence=F("sequence") + 1,
        lease_owner=owner,
        lease_expires_at=now + timedelta(seconds=settings.LEASE_SECONDS),
        started_at=now,
        worker=this_process(),
    )
    if not claimed:
        return None
    return Analysis.objects.filter(pk=pk, lease_owner=owner).first()


@contextmanager
def held_lease(analysis: Analysis) -> Iterator[None]:
    """Renews the lease of a running analysis in a thread for as long as the work goes on.

    The same thread tells the owner that the work has begun, unless it ends at once anyway.
    """
    done = threading.Event()
    begun = copy(analysis)  # the other thread may finish this one at any moment

    def renew() -> None:
        if done.wait(NOT_WORTH_TELLING):
            return
        events.publish_change(begun)
        while not done.wait(settings.LEASE_SECONDS / 3):
            expires_at = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
            try:
                owned(begun).update(lease_expires_at=expires_at)
            except DatabaseError:
                logger.warning("The lease of %s was not renewed", begun.pk, exc_info=True)
            finally:
                connection.close()

    thread = threading.Thread(target=renew, name=f"lease-{analysis.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def owned(analysis: Analysis):
    """The row while this worker still holds it; empty once it was deleted or swept up."""
    return Analysis.objects.filter(
        pk=analysis.pk, status=Status.RUNNING, lease_owner=analysis.lease_owner
    )


def change(analysis: Analysis, **values) -> bool:
    """Write `values` to the row that this worker holds; False if it no longer does."""
    values["sequence"] = analysis.sequence + 1
    if not owned(analysis).update(**values):
        return False
    for name, value in values.items():
        setattr(analysis, name, value)
    return True


def take_over(analysis: Analysis, now: datetime) -> bool:
    """Become the holder of a running analysis whose lease ran out before `now`."""
    lease_owner = str(uuid.uuid4())
    taken = owned(analysis).filter(lease_expires_at__lt=now).update(lease_owner=lease_owner)
    analysis.lease_owner = lease_owner
    return bool(taken)


def analyze_source(analysis: Analysis) -> None:
    """Decode the upload, read its faces, store the stripped photo, and finish the analysis."""
    if version := analysis.requested_version:
        classifier = version_files.load_classifier(version)
    else:
        version, classifier = registry.active_classifier()
    started = time.perf_counter()
    with analysis.source.open() as file:
        rgb, _header = media.decode_photo(file.read(), max_pixels=settings.MAX_PIXELS)
    decode_ms = (time.perf_counter() - started) * 1000
    result = pipeline.analyze_image(rgb, face_detector(), classifier)
    result.milliseconds["decode"] = decode_ms

    name = f"{analysis.pk}.jpg"
    pictures = {"photos": media.encode_jpeg(rgb), "thumbnails": media.make_thumbnail(rgb)}
    photo, thumbnail = (
        default_storage.save(f"{folder}/{name}", ContentFile(content))
        for folder, content in pictures.items()
    )
    analysis.stored_bytes = sum(map(len, pictures.values()))
    if not finish(analysis, version, result, photo, thumbnail):
        delete_files([photo, thumbnail])


def finish(
    analysis: Analysis, version: ModelVersion, result: ImageAnalysis, photo: str, thumbnail: str
) -> bool:
    """Store the result of a running analysis; False if this worker no longer holds it."""
    source = analysis.source.name
    with transaction.atomic():
        held = change(
            analysis,
            status=Status.SUCCEEDED,
            finished_at=timezone.now(),
            width=result.width,
            height=result.height,
            face_count=len(result.faces),
            emotion=result.faces[0].prediction.emotion if result.faces else "",
            model_version=version,
            milliseconds={key: round(value, 1) for key, value in result.milliseconds.items()},
            stored_bytes=analysis.stored_bytes,
            source="",
            photo=photo,
            thumbnail=thumbnail,
        )
        if not held:
            return False
        Face.objects.bulk_create(
            Face(
                analysis=analysis,
                x=face.detection.box.x,
                y=face.detection.box.y,
                width=face.detection.box.width,
                height=face.detection.box.height,
                score=face.detection.score,
                landmarks=asdict(face.detection.landmarks),
                probabilities=face.prediction.probabilities,
                emotion=face.prediction.emotion,
                probability=face.prediction.probability,
                sharpness=face.sharpness,
            )
            for face in result.faces
        )
        webhooks.announce(analysis)
    delete_files([source])
    events.publish_change(analysis)
    return True


def fail(
    analysis: Analysis, code: str, message: str, *, keep_source: bool = False, **values
) -> None:
    """End a running analysis with a reason; an unreadable upload is not kept."""
    source = analysis.source.name
    if not keep_source:
        values["source"] = ""
    with transaction.atomic():
        failed = change(
            analysis,
            status=Status.FAILED,
            finished_at=timezone.now(),
            error_code=code,
            error_message=message,
            **values,
        )
        if failed:
            webhooks.announce(analysis)
    if failed:
        if not keep_source:
            delete_files([source])
        events.publish_change(analysis)


def cancel(analysis: Analysis) -> bool:
    """Stop a queued or running analysis; its upload stays, so that it can be retried.

    A worker that has it just now notices when it wants to write its result.
    """
    unfinished = Analysis.objects.filter(
        pk=analysis.pk, status__in=[Status.QUEUED, Status.RUNNING], kind=Analysis.Kind.IMAGE
    )
    return announce(
        analysis,
        unfinished.update(
            status=Status.CANCELED, finished_at=timezone.now(), sequence=F("sequence") + 1
        ),
    )


def put_back(analysis: Analysis) -> bool:
    """Queue a failed or canceled analysis anew, if its upload is still there."""
    ended = Analysis.objects.filter(pk=analysis.pk, status__in=[Status.FAILED, Status.CANCELED])
    return announce(
        analysis,
        ended.exclude(source="").update(
            status=Status.QUEUED,
            attempts=0,
            lease_owner="",
            lease_expires_at=None,
            started_at=None,
            finished_at=None,
            waiting_since=timezone.now(),
            enqueued_at=timezone.now(),
            error_code="",
            error_message="",
            traceback="",
            sequence=F("sequence") + 1,
        ),
    )


def edit(analysis: Analysis, values: dict[str, object]) -> None:
    """Write the owner's title, notes or tags."""
    if not values:
        return
    rows = Analysis.objects.filter(pk=analysis.pk)
    with transaction.atomic():
        # Locked: the text for searching is made of all three, others may write another one.
        parts = rows.select_for_update().values("title", "notes", "tags").first()
        if parts:
            values = {**values, "search_text": search_text(**{**parts, **values})}
        changed = rows.update(**values, sequence=F("sequence") + 1)
    announce(analysis, changed)


def announce(analysis: Analysis, rows: int) -> bool:
    """Read an analysis that was changed and tell its owner; False where no row was."""
    if not rows:
        return False
    analysis.refresh_from_db()
    events.publish_change(analysis)
    return True


def release(analysis: Analysis, **values) -> None:
    """Put a running analysis back into the queue, or fail it after its last attempt.

    Its message is gone; the sweeper sends another one. `values` are written as well.
    """
    if analysis.attempts >= settings.MAX_ATTEMPTS:
        fail(
            analysis,
            "gave_up",
            f"This photo could not be analyzed in {settings.MAX_ATTEMPTS} attempts. "
            "The photo itself may be fine: please retry later.",
            keep_source=True,
            **values,
        )
    elif change(analysis, status=Status.QUEUED, lease_owner="", lease_expires_at=None, **values):
        events.publish_change(analysis)


def requeue_stale(enqueue: Callable[[str], None], waiting: int) -> None:
    """Bring work back that a crash has stopped.

    Running rows whose lease ran out go back into the queue, or fail after their last attempt.
    Queued rows that waited a while though no message is `waiting` in the queue get a new one, and
    so do rows that waited very long: a message too many does nothing. While the queue is paused
    they wait. `enqueue` sends the message for a row's primary key.
    """
    now = timezone.now()
    stale = Analysis.objects.filter(status=Status.RUNNING, lease_expires_at__lt=now)
    for analysis in stale.exclude(kind=Analysis.Kind.WEBCAM):
        # Taking the lease over keeps a worker that is late, not dead, from renewing it meanwhile.
        if take_over(analysis, now):
            logger.warning("Analysis %s lost its worker", analysis.pk)
            release(analysis)
            if analysis.status == Status.QUEUED:
                enqueue(str(analysis.pk))
    patience = SURELY_LOST_AFTER if waiting else LOST_AFTER
    lost_before = pauses.lost_before(Analysis.queue, now - patience)
    if lost_before is None:
        return
    lost = Analysis.objects.filter(status=Status.QUEUED, enqueued_at__lt=lost_before)
    for pk in lost.order_by("enqueued_at").values_list("pk", flat=True):
        Analysis.objects.filter(pk=pk).update(enqueued_at=now)
        enqueue(str(pk))


def delete_analysis(analysis: Analysis) -> None:
    """Delete an analysis with its faces, its files and what webhooks and answers hold of it.

    A worker that has it just now notices.
    """
    owner_id, pk = analysis.owner_id, str(analysis.pk)
    with transaction.atomic():
        # Locked and read anew: its worker may have finished it meanwhile.
        rows = Analysis.objects.select_for_update().filter(pk=pk)
        files = rows.values_list("source", "photo", "thumbnail").first() or ()
        analysis.delete()
        webhooks.forget(owner_id, pk)
        idempotency.forget(owner_id, pk)
        # On commit, because the admin deletes in a transaction of its own.
        transaction.on_commit(functools.partial(delete_files, files))
        transaction.on_commit(functools.partial(events.publish_deletion, owner_id, pk))


def delete_files(names: Iterable[str]) -> None:
    for name in filter(None, names):
        default_storage.delete(name)


def delete_orphaned_files() -> int:
    """Delete stored pictures and exports that no row names any more; gives their number."""
    deleted = 0
    for model, field in STORED:
        folder = model._meta.get_field(field).upload_to
        if not default_storage.exists(folder):
            continue
        kept = set(model.objects.exclude(**{field: ""}).values_list(field, flat=True))
        for name in (f"{folder}/{file}" for file in default_storage.listdir(folder)[1]):
            age = timezone.now() - default_storage.get_modified_time(name)
            if name not in kept and age > ORPHANED_AFTER:
                default_storage.delete(name)
                deleted += 1
    return deleted
