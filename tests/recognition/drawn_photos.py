"""Analyses with exactly known faces, for tests of corrections."""

import numpy as np
from django.core.files.base import ContentFile

from recognition.engine.align import SIDE, TEMPLATE
from recognition.engine.emotions import EMOTIONS
from recognition.engine.types import Landmarks
from recognition.models import Analysis, Face
from tests.conftest import encode


def photo_of(owner, faces: np.ndarray, **values) -> Analysis:
    """A finished analysis of a photo with these gray faces [n, 48, 48] side by side."""
    photo = np.repeat(np.hstack(list(faces))[..., None], 3, axis=2)
    height, width = photo.shape[:2]
    analysis = Analysis.objects.create(
        owner=owner,
        status=Analysis.Status.SUCCEEDED,
        title="drawn",
        width=width,
        height=height,
        face_count=len(faces),
        **values,
    )
    # Lossless despite its name, so tests can compare exact pixels.
    analysis.photo.save(f"{analysis.pk}.jpg", ContentFile(encode(photo, "PNG")))
    shares = [1.0] + [0.0] * (len(EMOTIONS) - 1)
    for number in range(len(faces)):
        points = np.add(TEMPLATE, [number * SIDE, 0]).tolist()
        Face.objects.create(
            analysis=analysis,
            x=number * SIDE,
            y=0,
            width=SIDE,
            height=SIDE,
            score=1,
            landmarks=dict(zip(Landmarks.__slots__, points, strict=True)),
            probabilities=shares,
            emotion=EMOTIONS[0],
            probability=1,
        )
    return analysis
