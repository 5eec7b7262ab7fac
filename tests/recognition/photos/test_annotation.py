"""Annotated photos."""

import io

import numpy as np
import pytest
from PIL import Image, ImageColor

from recognition.models import NOT_A_FACE
from recognition.photos import annotation, corrections
from tests.recognition.drawn_photos import photo_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def analysis(user):
    return photo_of(user, np.full((1, 48, 48), 255, np.uint8))


def colors(analysis) -> set[str]:
    """The expressions whose colors appear, allowing for JPEG's losses."""
    pixels = np.asarray(Image.open(io.BytesIO(annotation.annotate(analysis)))).reshape(-1, 3)
    return {
        emotion
        for emotion, color in annotation.COLORS.items()
        if (np.abs(pixels - np.array(ImageColor.getrgb(color))).max(axis=1) < 24).sum() > 20
    }


def test_a_face_has_a_box_in_the_color_of_its_expression(analysis):
    assert "angry" in colors(analysis)
    assert annotation.caption(analysis.faces.get()) == "angry 100 %"


def test_a_corrected_face_is_drawn_as_the_owner_says(analysis):
    face = analysis.faces.get()
    corrections.correct(face, "sad")

    assert "sad" in colors(analysis)
    assert "angry" not in colors(analysis)
    assert annotation.caption(face) == "sad (corrected)"


def test_what_is_not_a_face_has_no_box(analysis):
    corrections.correct(analysis.faces.get(), NOT_A_FACE)

    assert colors(analysis) == set()
