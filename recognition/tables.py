"""The faces of an analysis as a table in CSV."""

import csv
import io
from collections.abc import Iterator

from recognition import quality
from recognition.engine.emotions import EMOTIONS
from recognition.models import Analysis

# What begins a formula in a spreadsheet (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = [
    *["analysis", "title", "created_at", "model_version", "face", "track", "seconds"],
    *["x", "y", "width", "height", "score", "emotion", "probability", *EMOTIONS, "quality"],
    "correction",
]


def write_faces(analysis: Analysis) -> str:
    """CSV with a header and one line for each face, the most prominent first.

    Boxes in pixels of the upright photo or the frame; `track` and `seconds` only for sessions;
    `correction` is what the owner says of the face. A title that a spreadsheet would take for a
    formula is marked as text.
    """
    file = io.StringIO()
    table = csv.writer(file)
    table.writerow(COLUMNS)
    table.writerows(rows(analysis))
    return file.getvalue()


def rows(analysis: Analysis) -> Iterator[list]:
    version = analysis.model_version.number if analysis.model_version else ""
    about = [analysis.pk, as_text(analysis.title), analysis.created_at.isoformat(), version]
    faces = analysis.faces.select_related("track")
    for number, face in enumerate(faces.iterator(chunk_size=2000), 1):
        track = face.track.number if face.track else ""
        seconds = "" if face.time is None else face.time
        yield [
            *about,
            *[number, track, seconds, face.x, face.y, face.width, face.height, face.score],
            *[face.emotion, face.probability, *face.probabilities, " ".join(quality.hints(face))],
            face.correction,
        ]


def as_text(value: str) -> str:
    """A cell that a spreadsheet shows as it is and does not calculate."""
    return f"'{value}" if value.startswith(FORMULA) else value
