"""Histories written directly as rows: exports need many faces but no photos."""

from recognition.engine.emotions import EMOTIONS
from recognition.models import Analysis, Face, Track
from recognition.registry import registry

POINTS = {
    "left_eye": [15.0, 18.0],
    "right_eye": [33.0, 18.0],
    "nose": [24.0, 28.0],
    "mouth_left": [17.0, 38.0],
    "mouth_right": [31.0, 38.0],
}


def photo(owner, faces: int = 1, emotion: str = "happy", **values) -> Analysis:
    """A finished analysis of a photo with this many faces of this expression."""
    values = {"title": "photo.jpg", "status": "succeeded", "emotion": emotion, **values}
    analysis = Analysis.objects.create(
        owner=owner, model_version=registry.active_version(), face_count=faces, **values
    )
    Face.objects.bulk_create(face(analysis, emotion) for _ in range(faces))
    return analysis


def session(owner, frames: int = 1) -> Analysis:
    """A kept webcam session with the tracks 3 and 7, each in this many frames."""
    analysis = Analysis.objects.create(
        owner=owner,
        kind=Analysis.Kind.WEBCAM,
        title="Webcam session",
        status="succeeded",
        model_version=registry.active_version(),
    )
    for number in (3, 7):
        track = Track.objects.create(analysis=analysis, number=number)
        Face.objects.bulk_create(
            face(analysis, "sad", track=track, time=frame / 10, landmarks={})
            for frame in range(frames)
        )
    return analysis


def face(analysis: Analysis, emotion: str, **values) -> Face:
    shares = [0.7 if name == emotion else 0.05 for name in EMOTIONS]
    values = {"landmarks": POINTS, "width": 40.0, "height": 60.0, **values}
    return Face(
        analysis=analysis,
        x=1.5,
        y=2.5,
        score=0.9,
        probabilities=shares,
        emotion=emotion,
        probability=0.7,
        **values,
    )
