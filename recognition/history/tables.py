"""The faces of analyses as table rows, the same in every file format."""

import csv
import io
import itertools
from collections import defaultdict
from collections.abc import Generator
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import QuerySet

from recognition import describe, face_states
from recognition.engine.emotions import EMOTIONS
from recognition.engine.measures import MEASURES
from recognition.engine.timeline import relative_to
from recognition.models import Analysis, Face, Marker

COLUMNS = [
    *["analysis", "kind", "title", "tags", "created_at", "model_version"],
    *["face", "track", "track_name", "seconds", "frame", "x", "y", "width", "height", "score"],
    *["emotion", "probability", *EMOTIONS],
    *[f"relative_{emotion}" for emotion in EMOTIONS],
    *["markers", "quality", "correction"],
    *[*MEASURES, "covered"],
]
"""The columns of every table, explained in docs/reference/exports.md."""

FIELDS = [
    *["analysis_id", "analysis__kind", "analysis__title", "analysis__tags"],
    *["analysis__created_at", "analysis__model_version__number"],
    *["track__number", "track__name", "track__baseline", "time", "frame"],
    *["x", "y", "width", "height", "score", "emotion", "probability"],
    *["probabilities", "landmarks", "sharpness", "whole_picture", "correction"],
    *["measures", "covered"],
]
ROWS_AT_ONCE = 2000


def read_rows(faces: "QuerySet[Face]") -> Generator[list[Any]]:
    """For each face a list of values in the order of COLUMNS; None if missing.

    Newest analysis first; in each by time, and the largest face first. One query delivers all, so
    changes in the meantime don't mix in, and only a few rows are in memory. Left out are tracks
    that the owner says are no face, and spans that are excluded.
    """
    marked = _markers(faces)
    faces = faces.exclude(track__not_a_face=True)
    newest_first = faces.order_by("-analysis__created_at", "-analysis_id", "time", "pk")
    # Tuples instead of model instances take a third of the time.
    found = newest_first.values_list(*FIELDS, named=True).iterator(chunk_size=ROWS_AT_ONCE)
    for analysis, its_faces in itertools.groupby(found, key=attrgetter("analysis_id")):
        markers = marked.get(analysis, [])
        for number, face in enumerate(its_faces, 1):
            now = [one for one in markers if _covers(one, face.time)]
            if any(one.excluded for one in now):
                continue
            yield [
                *[str(analysis), face.analysis__kind, face.analysis__title, face.analysis__tags],
                *[face.analysis__created_at, face.analysis__model_version__number],
                *[number, face.track__number, face.track__name or None, face.time, face.frame],
                *[face.x, face.y, face.width, face.height, face.score],
                *[
                    face.emotion,
                    face.probability,
                    *face.probabilities,
                    *_relative(face.probabilities, face.track__baseline),
                    [one.label for one in now if one.label],
                    face_states.quality_hints(face),
                ],
                face.correction or None,
                *(face.measures or [None] * len(MEASURES)),
                face.covered,
            ]


def _markers(faces: "QuerySet[Face]") -> dict[UUID, list[Marker]]:
    """The markers of all analyses that these faces are from."""
    found: dict[UUID, list[Marker]] = defaultdict(list)
    for marker in Marker.objects.filter(analysis__in=faces.order_by().values("analysis")):
        found[marker.analysis_id].append(marker)
    return found


def _covers(marker: Marker, time: float | None) -> bool:
    """Whether a marker is about a face at this time; a moment is about the samples around it."""
    if time is None:
        return False
    if marker.end is None:
        return abs(time - marker.start) <= 0.5
    return marker.start <= time <= marker.end


def _relative(probabilities: list[float], baseline: dict[str, Any] | None) -> list[Any]:
    """The probabilities relative to what is neutral for the track, if its owner has set that."""
    if not baseline:
        return [None] * len(EMOTIONS)
    raw = np.array([probabilities])
    return relative_to(raw, baseline["log_probabilities"])[0].round(4).tolist()


def write_faces(analysis: Analysis) -> str:
    """The faces of an analysis as CSV: a header and one line per face."""
    file = io.StringIO()
    table = csv.writer(file)
    table.writerow(COLUMNS)
    table.writerows(map(as_cells, read_rows(analysis.faces.all())))
    return file.getvalue()


def as_cells(row: list[Any]) -> list[Any]:
    """The cells of a CSV row: lists are joined, and no text is a formula."""
    return [_cell(value) for value in row]


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return describe.as_text(value)
    if isinstance(value, list):
        return describe.as_text(", ".join(value))
    return value.isoformat() if isinstance(value, datetime) else value
