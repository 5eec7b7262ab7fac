"""The life cycle of a photo's analysis: run, finish, edit, delete."""

import functools
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, cast

import numpy as np
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F
from numpy.typing import NDArray

from recognition import decoding, describe, events, networks
from recognition.engine import media, pipeline
from recognition.engine.blur import blur_faces
from recognition.engine.errors import MediaError
from recognition.engine.examiner import Findings
from recognition.engine.mesh import pack
from recognition.engine.pyramid import fit
from recognition.engine.types import BoundingBox, Detail, DetectorName, FaceMode, ImageAnalysis
from recognition.jobs import work
from recognition.jobs.files import delete_files
from recognition.models import Analysis, Face, ModelVersion
from recognition.models.derived import search_text
from recognition.programs import idempotency, webhooks
from recognition.registry import registry, version_files

Keep = Analysis.Keep

INCOMPLETE: describe.Message = {
    "code": "incomplete_photo",
    "message": "The end of this photo's file is missing. The part that is there was analyzed.",
}


def analyze(analysis: Analysis) -> None:
    """Analyze a photo that this worker has claimed; an unreadable one is not kept."""
    source = analysis.source.name
    try:
        analyze_source(analysis)
    except MediaError as error:
        if work.fail(analysis, error.code, error.message, source=""):
            delete_files([source])


def analyze_source(analysis: Analysis) -> None:
    """Decode the upload, read its faces, store the photo without metadata, and finish."""
    if version := analysis.requested_version:
        classifier = version_files.load_classifier(version)
    else:
        version, classifier = registry.active_classifier()
    started = time.perf_counter()
    with analysis.source.open() as file:
        rgb, header = decoding.decode_photo(
            file.read(),
            analysis.owner_id,
            min_side=settings.STORED_SIDE * 15 // 16,  # 16,320 pixels are decoded at a quarter
        )
    decode_ms = (time.perf_counter() - started) * 1000
    detector = pipeline.for_detail(
        networks.photo_detector(cast(DetectorName, analysis.detector)),
        cast(Detail, analysis.detail),
    )
    face_mode, examiner = cast(FaceMode, analysis.face_mode), networks.examiner("photo")
    result = pipeline.analyze_image(rgb, detector, classifier, face_mode, examiner)
    result.milliseconds["decode"] = decode_ms
    # A photo that is analyzed again may be stored smaller than it was sent.
    width, height = analysis.width or header.width, analysis.height or header.height
    result = pipeline.enlarge(result, width, height)
    if header.incomplete:
        analysis.notices = [*analysis.notices, INCOMPLETE]

    photo, thumbnail = "", ""
    if analysis.keep != Keep.NUMBERS:
        boxes = (
            [face.detection.box for face in result.faces] if analysis.keep == Keep.BLURRED else []
        )
        photo, thumbnail = _store(analysis, fit(rgb, settings.STORED_SIDE), boxes, width)
    if not finish(analysis, version, result, photo, thumbnail):
        delete_files([photo, thumbnail])


def _store(
    analysis: Analysis, rgb: NDArray[np.uint8], boxes: Sequence[BoundingBox], width: int
) -> tuple[str, str]:
    """Store photo and thumbnail; faces are blurred in `boxes`, in pixels of a photo this wide.

    Gives the names of the files.
    """
    places = [(box.x, box.y, box.width, box.height) for box in boxes]
    rgb = blur_faces(rgb, places, rgb.shape[1] / width) if places else rgb
    pictures = {"photos": media.encode_jpeg(rgb), "thumbnails": media.make_thumbnail(rgb)}
    analysis.stored_bytes = sum(map(len, pictures.values()))
    photo, thumbnail = (
        default_storage.save(f"{folder}/{analysis.pk}.jpg", ContentFile(content))
        for folder, content in pictures.items()
    )
    return photo, thumbnail


def finish(
    analysis: Analysis, version: ModelVersion, result: ImageAnalysis, photo: str, thumbnail: str
) -> bool:
    """Store the result of a running analysis; False if this worker lost its lease."""
    source = analysis.source.name
    finished = work.finish(
        analysis,
        lambda: Face.objects.bulk_create(_faces(analysis, result)),
        width=result.width,
        height=result.height,
        face_count=len(result.faces),
        emotion=result.faces[0].prediction.emotion if result.faces else "",
        model_version=version,
        milliseconds={key: round(value, 1) for key, value in result.milliseconds.items()},
        stored_bytes=analysis.stored_bytes,
        notices=analysis.notices,
        source="",
        photo=photo,
        thumbnail=thumbnail,
    )
    if finished:
        delete_files([source])
    return finished


def _faces(analysis: Analysis, result: ImageAnalysis) -> list[Face]:
    return [
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
            whole_picture=face.whole_picture,
            **_findings(face.findings, with_mesh=analysis.keep == Keep.PICTURE),
        )
        for face in result.faces
    ]


def _findings(found: Findings | None, *, with_mesh: bool) -> dict[str, Any]:
    if found is None:
        return {}
    return {
        "covered": round(found.covered, 3),
        "measures": found.values,
        # What the network draws where it sees no face means nothing. A mesh can tell people apart.
        "mesh": pack(found.mesh) if found.mesh and found.measures and with_mesh else None,
    }


def edit(analysis: Analysis, values: dict[str, object]) -> None:
    """Store the owner's title, notes or tags."""
    if not values:
        return
    rows = Analysis.objects.filter(pk=analysis.pk)
    with transaction.atomic():
        # Locked: the search text is built from all three, and another request may change one.
        parts = rows.select_for_update().values("title", "notes", "tags").first()
        if parts:
            values = {
                **values,
                "search_text": search_text(**cast(dict[str, Any], {**parts, **values})),
            }
        changed = rows.update(**values, sequence=F("sequence") + 1)
    announce(analysis, changed)


def announce(analysis: Analysis, rows: int) -> bool:
    """Load a changed analysis and notify its owner; False if there is no such row."""
    if not rows:
        return False
    analysis.refresh_from_db()
    events.publish_change(analysis)
    return True


def blur(analysis: Analysis) -> bool:
    """Replace the stored photo by one without recognizable faces; False without a photo.

    There is no way back.
    """
    old = [analysis.photo.name, analysis.thumbnail.name]
    if not analysis.photo:
        return False
    with analysis.photo.open() as file:
        rgb, _header = media.decode_photo(file.read(), max_pixels=settings.MAX_PIXELS)
    boxes = [
        BoundingBox(*values) for values in analysis.faces.values_list("x", "y", "width", "height")
    ]
    new = _store(analysis, rgb, boxes, analysis.width or rgb.shape[1])
    if not _replace(analysis, Keep.BLURRED, *new, stored_bytes=analysis.stored_bytes):
        delete_files(new)
        return False
    delete_files(old)
    return True


def forget_picture(analysis: Analysis) -> bool:
    """Delete the stored photo or video and keep the numbers; False if there is none."""
    files = [analysis.photo.name, analysis.thumbnail.name, analysis.media.name]
    if not any(files):
        return False
    if not _replace(analysis, Keep.NUMBERS, "", "", media="", stored_bytes=0):
        return False
    delete_files(files)
    return True


def _replace(analysis: Analysis, keep: Keep, photo: str, thumbnail: str, **values: Any) -> bool:
    """Name other files, and drop what else shows a face; False if the files changed meanwhile."""
    rows = Analysis.objects.filter(
        pk=analysis.pk, photo=analysis.photo.name, media=analysis.media.name
    )
    with transaction.atomic():
        changed = rows.update(
            keep=keep, photo=photo, thumbnail=thumbnail, sequence=F("sequence") + 1, **values
        )
        if changed:
            analysis.faces.update(mesh=None)
            analysis.tracks.update(picture=None)
    return announce(analysis, changed)


def delete_analysis(analysis: Analysis) -> None:
    """Delete an analysis with its faces and files, and its copies in webhooks and stored answers.

    A worker that is running it notices.
    """
    owner_id, pk = analysis.owner_id, str(analysis.pk)
    with transaction.atomic():
        # Locked and read again: its worker may have finished it meanwhile.
        rows = Analysis.objects.select_for_update().filter(pk=pk)
        files = rows.values_list("source", "photo", "thumbnail", "media").first() or ()
        analysis.delete()
        webhooks.forget(owner_id, pk)
        idempotency.forget(owner_id, pk)
        # On commit, because the admin deletes in its own transaction.
        transaction.on_commit(functools.partial(delete_files, files))
        transaction.on_commit(functools.partial(events.publish_deletion, owner_id, pk))
