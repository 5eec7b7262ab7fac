"""Corrections of faces, stored beside the prediction and downloadable as a data set."""

import io
import itertools
import logging
import zipfile
from collections.abc import Iterator

import numpy as np
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from numpy.typing import NDArray
from PIL import Image

from recognition.engine import align, media
from recognition.engine.errors import MediaError
from recognition.engine.types import Landmarks
from recognition.models import NOT_A_FACE, Analysis, Face
from recognition.photos import analyses

logger = logging.getLogger(__name__)


def correct(face: Face, correction: str) -> bool:
    """Store an expression or NOT_A_FACE, or "" to undo a correction; notifies the owner.

    The prediction itself is kept. Returns False if nothing changed.
    """
    corrected_at = timezone.now() if correction else None
    with transaction.atomic():
        other = Face.objects.filter(pk=face.pk).exclude(correction=correction)
        if not other.update(correction=correction, corrected_at=corrected_at):
            return False
        rows = Analysis.objects.filter(pk=face.analysis_id).update(sequence=F("sequence") + 1)
    face.correction, face.corrected_at = correction, corrected_at
    return analyses.announce(face.analysis, rows)


def labeled(owner: User) -> QuerySet[Face]:
    """The corrected faces of this person that can be trained on.

    Leaves out those marked as no face, since a classifier learns only expressions, and those of
    webcam sessions, whose pictures aren't kept.
    """
    corrected = Face.objects.filter(analysis__owner=owner, corrected_at__isnull=False)
    return corrected.exclude(correction=NOT_A_FACE).exclude(analysis__photo="")


def make_data_set(owner: User) -> bytes:
    """A zip with a folder per expression that holds faces as the classifier sees them.

    48 x 48 gray PNG files, aligned again from the stored photos. The same corrections give the same
    bytes, so a known data set is recognized.
    """
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for face, pixels in aligned(labeled(owner)):
            picture = io.BytesIO()
            Image.fromarray(pixels).save(picture, "PNG")
            # A new ZipInfo has a fixed date.
            name = zipfile.ZipInfo(f"{face.correction}/{face.pk}.png")
            archive.writestr(name, picture.getvalue())
    return file.getvalue()


def aligned(faces: QuerySet[Face]) -> Iterator[tuple[Face, NDArray[np.uint8]]]:
    """Each face with its 48 x 48 pixels, except those of unreadable photos."""
    ordered = faces.select_related("analysis").order_by("analysis_id", "pk")
    for analysis, group in itertools.groupby(ordered.iterator(), lambda face: face.analysis):
        try:
            with analysis.photo.open() as file:
                rgb, _header = media.decode_photo(file.read(), max_pixels=settings.MAX_PIXELS)
        except (OSError, MediaError):
            logger.warning("Can't read the photo of %s", analysis.pk, exc_info=True)
            continue
        # Landmarks are in pixels of the original, which may be stored smaller; centers are whole.
        scale = rgb.shape[1] / (analysis.width or rgb.shape[1])
        for face in group:
            points = {
                name: ((x + 0.5) * scale - 0.5, (y + 0.5) * scale - 0.5)
                for name, (x, y) in face.landmarks.items()
            }
            yield face, align.align_face(rgb, Landmarks(**points))
