"""What the engine makes of frames that a browser reads itself, for tests that compare both."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from PIL import Image

from recognition.engine.classifier import SHIPPED_INT8, EmotionClassifier
from recognition.engine.detector import MtcnnDetector
from recognition.engine.examiner import Examiner
from recognition.engine.follower import Follower
from recognition.engine.pipeline import analyze_frame
from recognition.engine.tracker import Tracker
from recognition.engine.types import Face, ImageAnalysis

SIDE = 640
BOX_PIXELS, PROBABILITY = 2.0, 0.02


def as_frame(picture: Image.Image) -> Image.Image:
    """A picture in the size of a frame."""
    scale = SIDE / max(picture.size)
    size = (round(picture.width * scale), round(picture.height * scale))
    return picture.convert("RGB").resize(size)


class EngineSession:
    """Reads frames one after the other as a live session on the server does."""

    def __init__(self, min_face: int) -> None:
        self.min_face = min_face
        self.tracker = Tracker()
        self.follower = Follower(self.tracker)
        self.detector = MtcnnDetector(second_look=False)
        self.classifier = EmotionClassifier(SHIPPED_INT8)
        self.examiner = Examiner(mesh=False)
        self.followed = 0

    def read(self, frame: Image.Image, seconds: float) -> ImageAnalysis:
        min_face = self.follower.min_face(seconds, self.min_face)
        hints = self.follower.hints(seconds)
        self.followed += bool(hints)
        detector = self.detector.with_min_face(min_face)
        analysis = analyze_frame(np.asarray(frame), detector, self.classifier, hints, self.examiner)
        self.tracker.update(analysis.faces, seconds)
        return analysis


def assert_agreement(expected: ImageAnalysis, reading: dict[str, Any], name: str) -> int:
    """Fails unless the reading has the same faces; returns how many."""
    assert (reading["width"], reading["height"]) == (expected.width, expected.height), name
    assert len(reading["faces"]) == len(expected.faces), name
    rest = list(reading["faces"])
    for want in expected.faces:
        got = min(rest, key=lambda face: distance(want, face))
        rest.remove(got)
        assert distance(want, got) <= BOX_PIXELS, (name, want.detection.box, got["box"])
        for mark, place in got["landmarks"].items():
            true = getattr(want.detection.landmarks, mark)
            assert place == pytest.approx(true, abs=BOX_PIXELS), (name, mark)
        probabilities = want.prediction.probabilities
        assert got["probabilities"] == pytest.approx(probabilities, abs=PROBABILITY), name
        assert want.findings is not None
        assert got["covered"] == pytest.approx(want.findings.covered, abs=PROBABILITY), name
    return len(expected.faces)


def distance(face: Face, read: dict[str, Any]) -> float:
    """The largest difference between the sides of both boxes in pixels."""
    box = asdict(face.detection.box)
    return max(abs(read["box"][side] - value) for side, value in box.items())
