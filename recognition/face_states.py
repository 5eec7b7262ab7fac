"""How faces are shown to the outside: a TypedDict each, and why a reading may be doubtful."""

import math
from typing import Literal, TypedDict, cast

from recognition.engine.emotions import EMOTIONS
from recognition.engine.measures import MEASURES, hints_of
from recognition.engine.mesh import unpack
from recognition.engine.sharpness import BLURRED
from recognition.models import Analysis, Face

Hint = Literal["whole_picture", "small", "blurred", "turned", "eyes_closed", "partly_covered"]


class MeasuresState(TypedDict):
    """What a face does, as geometry: degrees, and shares from 0 to 1 (engine.measures.Measures).

    Gaze is null where irises were not read.
    """

    yaw: float
    pitch: float
    roll: float
    eye_left: float
    eye_right: float
    mouth_open: float
    mouth_corners: float
    brows: float
    gaze_x: float | None
    gaze_y: float | None


class FaceState(TypedDict):
    """A face as in the REST API; coordinates in pixels of the upright photo.

    `measures` is null where no mesh fitted, `covered` the probability that something hides a part
    of the face, null if that was not looked at.
    """

    id: int
    box: dict[str, float]
    score: float
    landmarks: dict[str, list[float]]
    probabilities: dict[str, float]
    emotion: str
    quality: list[Hint]  # why the prediction may be less reliable
    measures: MeasuresState | None
    covered: float | None
    correction: str | None  # the owner's correction: an expression, or "not_a_face"
    corrected_at: str | None


class FaceMesh(TypedDict):
    """A face's mesh: 468 points and, if they were read, ten of the irises; pixels of the photo."""

    face: int
    points: list[list[float]]
    irises: list[list[float]]


class MeshesState(TypedDict):
    """The meshes of a photo's faces, largest face first; faces without one are left out."""

    meshes: list[FaceMesh]


class FoundFace(FaceState):
    """A face in the list of all faces; the rest for those of a video or webcam session."""

    analysis: str
    track: int | None
    track_name: str | None
    time: float | None
    frame: int | None  # in the video


def describe_found_face(face: Face) -> FoundFace:
    """A face with its analysis."""
    return {
        **describe_face(face),
        "analysis": str(face.analysis_id),
        "track": face.track.number if face.track else None,
        "track_name": (face.track.name or None) if face.track else None,
        "time": face.time,
        "frame": face.frame,
    }


def describe_face(face: Face) -> FaceState:
    return {
        "id": face.pk,
        "box": {"x": face.x, "y": face.y, "width": face.width, "height": face.height},
        "score": face.score,
        "landmarks": face.landmarks,
        "probabilities": dict(zip(EMOTIONS, face.probabilities, strict=True)),
        "emotion": face.emotion,
        "quality": quality_hints(face),
        "measures": name_measures(face.measures),
        "covered": face.covered,
        "correction": face.correction or None,
        "corrected_at": face.corrected_at.isoformat() if face.corrected_at else None,
    }


def name_measures(values: list[float | None] | None) -> MeasuresState | None:
    """Stored measures by name."""
    return cast(MeasuresState, dict(zip(MEASURES, values, strict=True))) if values else None


def describe_meshes(analysis: Analysis) -> MeshesState:
    """The meshes of all faces of a photo."""
    meshes: list[FaceMesh] = []
    for pk, packed in analysis.faces.exclude(mesh=None).values_list("pk", "mesh"):
        points, irises = (part.round(1).tolist() for part in unpack(bytes(packed or b"")))
        meshes.append({"face": pk, "points": points, "irises": irises})
    return {"meshes": meshes}


SMALL = 48  # pixels: the classifier reads 48 x 48, so smaller faces are enlarged
TURNED = 0.55  # of half the distance between the eyes; a profile reaches 1


def quality_hints(face: Face) -> list[Hint]:
    """Which hints apply to a stored face.

    Of what was not measured nothing is said.
    """
    found: list[Hint] = []
    if face.whole_picture:
        found.append("whole_picture")
    if min(face.width, face.height) < SMALL:
        found.append("small")
    if face.sharpness is not None and face.sharpness < BLURRED:
        found.append("blurred")
    measured = hints_of(face.measures, face.covered)
    if "turned" not in measured and face.landmarks and turn(face.landmarks) > TURNED:
        found.append("turned")
    return found + measured


def turn(landmarks: dict[str, list[float]]) -> float:
    """How far the nose is off the middle of the eyes: 0 for frontal, about 1 for profile.

    Measured along the line through the eyes, so a tilted head doesn't count as turned.
    """
    (left_x, left_y), (right_x, right_y) = landmarks["left_eye"], landmarks["right_eye"]
    nose_x, nose_y = landmarks["nose"]
    across_x, across_y = right_x - left_x, right_y - left_y
    half = math.hypot(across_x, across_y) / 2
    if half == 0:
        return 1.0
    beside_x, beside_y = nose_x - (left_x + right_x) / 2, nose_y - (left_y + right_y) / 2
    return abs(beside_x * across_x + beside_y * across_y) / (2 * half * half)
