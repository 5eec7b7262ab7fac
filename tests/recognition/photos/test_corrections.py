"""Corrections are stored beside predictions and become a data set."""

import io
import zipfile

import numpy as np
import pytest
from django.core.files.storage import default_storage
from PIL import Image

from recognition import events
from recognition.engine.emotions import EMOTIONS
from recognition.models import NOT_A_FACE
from recognition.photos import corrections
from tests.recognition.drawn_photos import photo_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def drawn() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)


@pytest.fixture
def analysis(user, drawn):
    return photo_of(user, drawn)


@pytest.fixture
def told(monkeypatch) -> list[int]:
    """The sequence of every state that was published."""
    numbers: list[int] = []
    monkeypatch.setattr(events, "publish_change", lambda one: numbers.append(one.sequence))
    return numbers


def names(content: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(content)).namelist()


def test_a_correction_stands_beside_the_prediction(analysis, told):
    face = analysis.faces.first()
    before = (face.emotion, face.probability, face.probabilities)
    assert corrections.correct(face, "sad")
    face.refresh_from_db()

    assert (face.correction, (face.emotion, face.probability, face.probabilities)) == (
        "sad",
        before,
    )
    assert face.corrected_at is not None
    assert told == [1]


def test_a_correction_is_taken_back(analysis, told):
    face = analysis.faces.first()
    corrections.correct(face, NOT_A_FACE)
    corrections.correct(face, "")
    face.refresh_from_db()

    assert (face.correction, face.corrected_at) == ("", None)
    assert told == [1, 2]


def test_the_same_correction_twice_tells_nobody(analysis, told):
    face = analysis.faces.first()
    corrections.correct(face, "sad")

    assert not corrections.correct(face, "sad")
    assert told == [1]


def test_a_face_that_was_deleted_meanwhile_is_not_corrected(analysis, told):
    face = analysis.faces.first()
    analysis.delete()

    assert not corrections.correct(face, "sad")
    assert told == []


def test_the_data_set_holds_the_corrected_faces_as_the_classifier_reads_them(analysis, drawn, user):
    first, second, _third = analysis.faces.all()
    corrections.correct(first, "fear")
    corrections.correct(second, NOT_A_FACE)
    content = corrections.make_data_set(user)

    assert names(content) == [f"fear/{first.pk}.png"]
    with zipfile.ZipFile(io.BytesIO(content)).open(f"fear/{first.pk}.png") as file:
        assert np.array_equal(np.asarray(Image.open(file)), drawn[0])


def test_the_same_corrections_give_the_same_file(analysis, user):
    for face, emotion in zip(analysis.faces.all(), EMOTIONS, strict=False):
        corrections.correct(face, emotion)
    content = corrections.make_data_set(user)

    assert len(names(content)) == 3
    assert corrections.make_data_set(user) == content


def test_nobody_else_s_faces_are_in_it(analysis, user, other_user, drawn):
    corrections.correct(photo_of(other_user, drawn).faces.first(), "sad")

    assert names(corrections.make_data_set(user)) == []
    assert corrections.labeled(user).count() == 0
    assert corrections.labeled(other_user).count() == 1


def test_a_photo_that_is_gone_leaves_the_others(analysis, user, drawn):
    lost, kept = photo_of(user, drawn), analysis.faces.first()
    corrections.correct(lost.faces.first(), "sad")
    corrections.correct(kept, "happy")
    default_storage.delete(lost.photo.name)

    assert names(corrections.make_data_set(user)) == [f"happy/{kept.pk}.png"]
