"""What a classifier got most surely wrong is listed and drawn."""

import numpy as np

from recognition.engine.emotions import EMOTIONS
from tests.training.drawing import make_faces
from training.core.examine import examine


def always_happy(faces):
    probabilities = np.full((len(faces), 7), 0.02, np.float32)
    probabilities[:, EMOTIONS.index("happy")] = 0.88
    return probabilities


def test_mistakes_are_listed_class_by_class():
    faces = make_faces(70)
    result = examine(always_happy, faces, np.arange(70))

    assert result.figures["accuracy"] == 10 / 70
    assert len(result.mistakes) == 6 * 8
    assert {mistake["answer"] for mistake in result.mistakes} == {"happy"}
    assert [result.mistakes[0][key] for key in ("line", "column", "emotion")] == [0, 0, "angry"]
    assert result.picture.shape == (6 * 96, 8 * 96)


def test_without_mistakes_there_is_no_picture():
    faces = make_faces(70)
    happy = np.flatnonzero(faces.labels == EMOTIONS.index("happy"))
    result = examine(always_happy, faces, happy)

    assert (result.mistakes, result.picture) == ([], None)
