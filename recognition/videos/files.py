"""A video's tracks in the formats of other programs."""

import csv
import io
import json
import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recognition import describe
from recognition.engine.emotions import EMOTIONS
from recognition.engine.measures import MEASURES
from recognition.engine.timeline import smooth, top_spans
from recognition.models import Analysis, Track
from recognition.videos import series

# What py-feat calls the seven, in the order of EMOTIONS.
PYFEAT = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
OPENFACE_POSE = ("pose_Rx", "pose_Ry", "pose_Rz")
FACES = (
    *("time", "frame", "track__number", "x", "y", "width", "height", "score", "probabilities"),
    "measures",
)


@dataclass(frozen=True)
class Format:
    """How a file is made, and what it is called."""

    make: Callable[[Analysis], str]
    extension: str
    content_type: str


def name_of(track: Track) -> str:
    return track.name or f"Face {track.number}"


def webvtt(analysis: Analysis) -> str:
    """Subtitles (W3C WebVTT): a cue for each stretch in which a face shows the same expression."""
    cues = []
    for rows in _shown(analysis):
        values = smooth(rows.times, rows.relative)
        for span in top_spans(rows.times, values):
            inside = (rows.times >= span.start) & (rows.times < span.end)
            share = float(values[inside, span.value].mean())
            name = name_of(rows.track).replace("-->", "→").replace("<", "‹").replace("&", "＆")
            text = f"{name}: {EMOTIONS[span.value]} {share:.0%}"
            cues.append((span.start, f"{_stamp(span.start)} --> {_stamp(span.end)}\n{text}\n"))
    return "\n".join(["WEBVTT\n", *(cue for _start, cue in sorted(cues))])


def _stamp(seconds: float) -> str:
    whole = round(seconds * 1000)
    hours, minutes = whole // 3_600_000, whole // 60_000 % 60
    return f"{hours:02}:{minutes:02}:{whole // 1000 % 60:02}.{whole % 1000:03}"


def elan(analysis: Analysis) -> str:
    """An annotation document of ELAN (EAF 2.8): a tier for each face, and one for markers."""
    from pympi.Elan import Eaf, to_eaf  # imported here: only this needs it

    document = Eaf(author="Mien")
    document.remove_tier("default")
    for rows in _shown(analysis):
        tier = f"{name_of(rows.track)} ({rows.track.number})"
        document.add_tier(tier)
        for span in top_spans(rows.times, smooth(rows.times, rows.relative)):
            begin, end = round(span.start * 1000), round(span.end * 1000)
            document.add_annotation(tier, begin, max(end, begin + 1), EMOTIONS[span.value])
    document.add_tier("markers")
    for marker in analysis.markers.all():
        begin = round(marker.start * 1000)
        end = round((marker.start if marker.end is None else marker.end) * 1000)
        document.add_annotation("markers", begin, max(end, begin + 1), marker.label)
    with tempfile.TemporaryDirectory() as folder:  # it writes to a path alone
        path = Path(folder) / "tracks.eaf"
        to_eaf(str(path), document)
        return path.read_text(encoding="utf-8")


def boris(analysis: Analysis) -> str:
    """Events as BORIS exports them: START and STOP of each expression, POINT for a marker."""
    head = ["Observation id", "Media file path", "Total length", "FPS", "Subject", "Behavior"]
    head += ["Behavioral category", "Comment", "Status", "Time"]
    rate = analysis.video.frame_rate if analysis.kind == Analysis.Kind.VIDEO else ""
    about = [str(analysis.pk), analysis.title, analysis.seconds, rate]
    events = []
    for rows in _shown(analysis):
        for span in top_spans(rows.times, smooth(rows.times, rows.relative)):
            row = [name_of(rows.track), EMOTIONS[span.value], "expression", ""]
            events += [(span.start, [*row, "START"]), (span.end, [*row, "STOP"])]
    for marker in analysis.markers.all():
        row = ["", marker.label or "marker", "marker", ""]
        if marker.end is None:
            events.append((marker.start, [*row, "POINT"]))
        else:
            events += [(marker.start, [*row, "START"]), (marker.end, [*row, "STOP"])]
    ordered = sorted(events, key=lambda event: event[0])
    return _table(head, [[*about, *row, f"{time:.3f}"] for time, row in ordered])


def openface(analysis: Analysis) -> str:
    """A row for each face in each frame, its first columns named as OpenFace's FeatureExtraction.

    Frames count from 1 there, and angles are in radians. The box and the expressions follow, which
    OpenFace has not.
    """
    head = ["frame", "face_id", "timestamp", "confidence", "success", *OPENFACE_POSE]
    rows = []
    for time, frame, track, *box, score, probabilities, measures in _faces(analysis):
        yaw, pitch, roll = (measures or [None] * 3)[:3]
        # Radians there, about the axes right, down and away.
        turns = [
            None if turn is None else round(math.radians(turn), 4) for turn in (pitch, yaw, roll)
        ]
        rows.append([(frame or 0) + 1, track - 1, time, score, 1, *turns, *box, *probabilities])
    return _table([*head, "x", "y", "width", "height", *EMOTIONS], rows)


def pyfeat(analysis: Analysis) -> str:
    """A row for each face in each frame with the columns that py-feat's Fex has for them."""
    head = ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore"]
    return _table(
        ["frame", *head, "Pitch", "Roll", "Yaw", *PYFEAT, "approx_time", "input", "track"],
        [
            [
                *[frame or 0, *box, score, *_pitch_roll_yaw(measures), *probabilities],
                *[time, analysis.title, track],
            ]
            for time, frame, track, *box, score, probabilities, measures in _faces(analysis)
        ],
    )


def _pitch_roll_yaw(measures: list[float] | None) -> list[float | None]:
    return [measures[1], measures[2], measures[0]] if measures else [None] * 3


def summaries(analysis: Analysis) -> str:
    """A row for each track: when it is there, and how each expression fares."""
    head = ["track", "name", "not_a_face", "first", "last", "seconds", "frames", "emotion"]
    head += [f"{kind}_{emotion}" for kind in ("share", "mean", "episodes") for emotion in EMOTIONS]
    head += [*MOVEMENT, *(f"median_{name}" for name in MEASURES)]
    found = []
    for track in series.summarize(analysis):
        known = [track["expressions"][emotion] for emotion in EMOTIONS]
        found.append(
            [
                *[track["number"], track["name"], int(track["not_a_face"])],
                *[track["first"], track["last"], track["seconds"], track["frames"]],
                track["emotion"],
                *(one["share"] for one in known),
                *(one["mean"] for one in known),
                *(len(one["episodes"]) for one in known),
                *_moved(track["movement"]),
            ]
        )
    return _table(head, found)


MOVEMENT = ("measured_seconds", "blinks", "blinks_per_minute", "mouth_movement", "turned_share")


def _moved(found: series.MovementState | None) -> list[Any]:
    if found is None:
        return [None] * (len(MOVEMENT) + len(MEASURES))
    counts = [found["seconds"], found["blinks"], found["blinks_per_minute"]]
    return [*counts, found["mouth"], found["turned"], *found["measures"].values()]


def markers(analysis: Analysis) -> str:
    """The markers as JSON."""
    rows = analysis.markers.values("label", "start", "end", "excluded")
    return json.dumps(list(rows), indent=2) + "\n"


FORMATS = {
    "webvtt": Format(webvtt, "vtt", "text/vtt; charset=utf-8"),
    "elan": Format(elan, "eaf", "application/xml; charset=utf-8"),
    "boris": Format(boris, "boris.csv", "text/csv; charset=utf-8"),
    "openface": Format(openface, "openface.csv", "text/csv; charset=utf-8"),
    "pyfeat": Format(pyfeat, "pyfeat.csv", "text/csv; charset=utf-8"),
    "tracks": Format(summaries, "tracks.csv", "text/csv; charset=utf-8"),
    "markers": Format(markers, "markers.json", "application/json"),
}

TYPES = sorted({kind.content_type.partition(";")[0] for kind in FORMATS.values()})


def _shown(analysis: Analysis) -> list[series.TrackRows]:
    """The tracks that are faces, without excluded spans."""
    return [rows for rows in series.load(analysis) if not rows.track.not_a_face]


def _faces(analysis: Analysis) -> list[tuple]:
    faces = analysis.faces.filter(track__not_a_face=False)
    faces = faces.exclude(series.excluded_spans(analysis)).order_by("time", "pk")
    return list(faces.values_list(*FACES))


def _table(head: list[str], rows: list[list]) -> str:
    file = io.StringIO()
    table = csv.writer(file)
    table.writerow(head)
    table.writerows(
        [describe.as_text(value) if isinstance(value, str) else value for value in row]
        for row in rows
    )
    return file.getvalue()
