"""What the columns of an export mean, for programs: a Table Schema (Frictionless, version 1)."""

from typing import Any

from recognition.engine.emotions import EMOTIONS
from recognition.engine.measures import NEUTRAL
from recognition.history.tables import COLUMNS

_SHARE = {"minimum": 0, "maximum": 1}
_PIXELS = "pixels"
_DEGREES = "degrees"

_FIELDS: dict[str, dict[str, Any]] = {
    "analysis": {"type": "string", "description": "The entry's id, as in its address."},
    "kind": {
        "type": "string",
        "description": "A photo (image), a kept webcam session (webcam) or a video (video).",
        "constraints": {"enum": ["image", "webcam", "video"]},
    },
    "title": {"type": "string", "description": "The entry's title."},
    "tags": {"type": "string", "description": "The entry's tags, separated by commas."},
    "created_at": {"type": "datetime", "description": "When it was uploaded, in UTC."},
    "model_version": {"type": "integer", "description": "The model version that read it."},
    "face": {
        "type": "integer",
        "description": "Number of the face within its entry.",
        "constraints": {"minimum": 1},
    },
    "track": {
        "type": "integer",
        "description": "Sessions and videos: the same number for the same face across frames.",
    },
    "track_name": {"type": "string", "description": "What the owner calls this track."},
    "seconds": {
        "type": "number",
        "description": "Sessions and videos: time since the start.",
        "unit": "seconds",
    },
    "frame": {
        "type": "integer",
        "description": "Videos: the number of the frame in the file, from 0.",
        "constraints": {"minimum": 0},
    },
    "x": {"type": "number", "description": "Left side of the face's box.", "unit": _PIXELS},
    "y": {"type": "number", "description": "Top of the face's box.", "unit": _PIXELS},
    "width": {"type": "number", "description": "Width of the face's box.", "unit": _PIXELS},
    "height": {"type": "number", "description": "Height of the face's box.", "unit": _PIXELS},
    "score": {
        "type": "number",
        "description": "How sure the detector is that this is a face; 0 for a whole picture.",
        "constraints": _SHARE,
    },
    "emotion": {
        "type": "string",
        "description": "The most probable of the seven expressions.",
        "constraints": {"enum": list(EMOTIONS)},
    },
    "probability": {
        "type": "number",
        "description": "The probability of that expression.",
        "constraints": _SHARE,
    },
    **{
        emotion: {
            "type": "number",
            "description": f"The probability of {emotion}; the seven sum to 1.",
            "constraints": _SHARE,
        }
        for emotion in EMOTIONS
    },
    **{
        f"relative_{emotion}": {
            "type": "number",
            "description": f"The same of {emotion} relative to the track's neutral baseline, "
            "where the owner has set one.",
            "constraints": _SHARE,
        }
        for emotion in EMOTIONS
    },
    "markers": {
        "type": "string",
        "description": "Labels of the owner's markers at this time, separated by commas.",
    },
    "quality": {
        "type": "string",
        "description": "Why the prediction may be less reliable, separated by commas: "
        "whole_picture, small, blurred, turned, eyes_closed, partly_covered.",
    },
    "correction": {
        "type": "string",
        "description": "What the owner says the face shows, or not_a_face; empty without one.",
        "constraints": {"enum": [*EMOTIONS, "not_a_face"]},
    },
    "yaw": {
        "type": "number",
        "description": "How far the head is turned to the right in the picture; 0: to the camera.",
        "unit": _DEGREES,
    },
    "pitch": {
        "type": "number",
        "description": "How far the head is lowered.",
        "unit": _DEGREES,
    },
    "roll": {
        "type": "number",
        "description": "How far the head is tilted clockwise in the picture.",
        "unit": _DEGREES,
    },
    **{
        f"eye_{side}": {
            "type": "number",
            "description": f"How open the eye on the {side} of the picture is; at rest "
            f"{NEUTRAL[f'eye_{side}']}.",
            "constraints": _SHARE,
        }
        for side in ("left", "right")
    },
    "mouth_open": {
        "type": "number",
        "description": f"How open the mouth is; at rest {NEUTRAL['mouth_open']}.",
        "constraints": _SHARE,
    },
    "mouth_corners": {
        "type": "number",
        "description": "How far the corners of the mouth are drawn up; at rest "
        f"{NEUTRAL['mouth_corners']}.",
        "constraints": _SHARE,
    },
    "brows": {
        "type": "number",
        "description": f"How far the brows are raised; at rest {NEUTRAL['brows']}.",
        "constraints": _SHARE,
    },
    "gaze_x": {
        "type": "number",
        "description": "How far the eyes look to the right in the picture, from straight ahead of "
        "the head; rough, and empty where irises were not read.",
        "unit": _DEGREES,
    },
    "gaze_y": {
        "type": "number",
        "description": "How far the eyes look down, likewise.",
        "unit": _DEGREES,
    },
    "covered": {
        "type": "number",
        "description": "The probability that something hides a part of the face.",
        "constraints": _SHARE,
    },
}


def table_schema() -> dict[str, Any]:
    """The columns of every export, in their order."""
    return {
        "$schema": "https://specs.frictionlessdata.io/schemas/table-schema.json",
        "fields": [{"name": name, **_FIELDS[name]} for name in COLUMNS],
        "missingValues": [""],
    }
