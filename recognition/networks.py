"""The networks that a worker's settings ask for, each opened once in a process."""

import functools
from typing import TypedDict

from django.conf import settings

from recognition.engine.detector import FaceDetector
from recognition.engine.detectors import open_detector
from recognition.engine.examiner import Examiner
from recognition.engine.types import DetectorName


@functools.cache
def photo_detector(name: DetectorName) -> FaceDetector:
    """The detector of this name for photos, which looks twice where it finds nothing."""
    return open_detector(name, min_face=settings.MIN_FACE, max_side=settings.MAX_SIDE)


@functools.cache
def frame_detector(name: DetectorName) -> FaceDetector:
    """The same for webcams: they are upright, and turned searches are slow."""
    return open_detector(name, max_side=settings.MAX_SIDE, second_look=False)


@functools.cache
def examiner(medium: str) -> Examiner:
    """What examines faces in a "photo", or in a "frame" of a webcam or video."""
    return Examiner(**examining(medium))


class Examining(TypedDict):
    """The options of an Examiner."""

    mesh: bool
    irises: bool
    min_face: float


def examining(medium: str) -> Examining:
    """The options of the examiner in that medium, for one in another process."""
    irises = settings.GAZE == "all" or (settings.GAZE == "photos" and medium == "photo")
    on = settings.MESH != "off"
    smallest = int(settings.MESH) if settings.MESH.isdecimal() else 0
    return {"mesh": on, "irises": irises, "min_face": smallest}
