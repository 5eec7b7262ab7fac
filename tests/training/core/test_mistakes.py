"""The sure and wrong answers of each class are found and drawn."""

import cv2
import numpy as np
import pytest

from recognition.engine.emotions import EMOTIONS
from tests.training.drawing import draw_faces
from training.core.figures import find_mistakes
from training.core.mistakes import draw_mistakes

HAPPY, SAD, FEAR = (EMOTIONS.index(name) for name in ("happy", "sad", "fear"))


def answer(emotion: int, probability: float) -> np.ndarray:
    answers = np.full(7, (1 - probability) / 6, np.float32)
    answers[emotion] = probability
    return answers


@pytest.fixture
def answers():
    """Three happy faces called sad, surely called happy, and surely called fear."""
    return np.stack([answer(SAD, 0.5), answer(HAPPY, 0.9), answer(FEAR, 0.8)])


def test_the_surest_mistake_comes_first(answers):
    labels = np.full(3, HAPPY)
    assert find_mistakes(answers, labels, HAPPY, 10).tolist() == [2, 0]
    assert find_mistakes(answers, labels, HAPPY, 1).tolist() == [2]
    assert find_mistakes(answers, labels, SAD, 10).tolist() == []


def test_each_class_with_mistakes_gets_a_sheet(answers, tmp_path):
    written = draw_mistakes(draw_faces(3)[0], answers, np.array([HAPPY, HAPPY, SAD]), tmp_path, 4)
    assert [path.name for path in written] == ["mistakes-happy.png", "mistakes-sad.png"]
    assert cv2.imread(str(written[0])).std() > 10
