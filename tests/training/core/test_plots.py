"""Plots and contact sheets of mistakes are drawn."""

import cv2
import numpy as np
import pytest

from recognition.engine.emotions import EMOTIONS
from tests.training.drawing import draw_faces
from training.core.evaluate import score
from training.core.plots import draw_mistakes, plot_confusion, plot_reliability

HAPPY, SAD, FEAR = (EMOTIONS.index(name) for name in ("happy", "sad", "fear"))


def answer(emotion: int, probability: float) -> np.ndarray:
    answers = np.full(7, (1 - probability) / 6, np.float32)
    answers[emotion] = probability
    return answers


@pytest.fixture
def answers():
    """Three happy faces called sad, surely called happy, and surely called fear."""
    return np.stack([answer(SAD, 0.5), answer(HAPPY, 0.9), answer(FEAR, 0.8)])


def test_each_class_with_mistakes_gets_a_sheet(answers, tmp_path):
    written = draw_mistakes(draw_faces(3)[0], answers, np.array([HAPPY, HAPPY, SAD]), tmp_path, 4)
    assert [path.name for path in written] == ["mistakes-happy.png", "mistakes-sad.png"]
    assert cv2.imread(str(written[0])).std() > 10


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_plots_are_written(answers, tmp_path, ending):
    evaluation = score(answers, np.array([HAPPY, HAPPY, SAD]), milliseconds=1.0)
    plot_confusion(evaluation, tmp_path / f"confusion.{ending}")
    plot_reliability(evaluation, tmp_path / f"reliability.{ending}")
    assert min(path.stat().st_size for path in tmp_path.iterdir()) > 5000
