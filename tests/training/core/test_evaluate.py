"""Metrics match counting by hand, mistakes are found, and the temperature calibrates."""

import numpy as np
import pytest

from recognition.engine.emotions import EMOTIONS
from tests.training.drawing import make_faces
from training.core.evaluate import (
    Calibration,
    calibrate,
    calibration_error,
    evaluate,
    examine,
    find_mistakes,
    fit_temperature,
    mean_recall,
    reliability,
    softmax,
)

LABELS = np.array([0, 0, 0, 1, 3, 3, 6, 6])
PREDICTED = np.array([0, 0, 3, 1, 3, 0, 6, 6])


def predict(images):
    """The class is written into the first pixel; confidence 0.79 for every face."""
    return np.full((len(images), 7), 0.035, np.float32) + 0.755 * np.eye(7)[images[:, 0, 0]]


@pytest.fixture
def evaluation():
    images = np.zeros((8, 48, 48), np.uint8)
    images[:, 0, 0] = PREDICTED
    return evaluate(lambda faces: predict(faces % 7), images, LABELS)


def test_accuracy_and_confusion(evaluation):
    assert evaluation.accuracy == 0.75
    assert evaluation.confusion[0][:4] == [2, 0, 0, 1]
    assert np.sum(evaluation.confusion) == evaluation.faces == 8


def test_figures_per_class(evaluation):
    angry = evaluation.per_class["angry"]
    assert (angry.precision, angry.recall, angry.support) == pytest.approx((2 / 3, 2 / 3, 3))
    assert evaluation.per_class["fear"].f1 == 0
    assert evaluation.macro_f1 == pytest.approx((2 / 3 + 1 + 0.5 + 1) / 4)


def test_calibration_error_is_the_gap_to_the_accuracy(evaluation):
    assert evaluation.ece == pytest.approx(0.79 - 0.75, abs=1e-6)


def test_reliability_counts_every_face_once():
    random = np.random.default_rng(0)
    probabilities = softmax(random.normal(0, 2, (500, 7)).astype(np.float32))
    bins = reliability(probabilities, random.integers(0, 7, 500))
    assert len(bins) == 15
    assert sum(bin.count for bin in bins) == 500


def test_no_faces_are_refused():
    with pytest.raises(ValueError, match="no faces"):
        evaluate(predict, np.zeros((0, 48, 48), np.uint8), np.zeros(0, np.int64))


def test_the_temperature_undoes_overconfidence():
    random = np.random.default_rng(3)
    logits = random.normal(0, 1.5, (4000, 7)).astype(np.float32)
    labels = np.array(
        [random.choice(7, p=row / row.sum()) for row in softmax(logits).astype(float)]
    )
    temperature = fit_temperature(logits * 3, labels)
    assert temperature == pytest.approx(3, rel=0.1)
    before = calibration_error(softmax(logits * 3), labels)
    assert calibration_error(softmax(logits * 3, temperature), labels) < 0.03 < before


def test_recall_is_averaged_over_the_classes_that_occur():
    assert mean_recall(LABELS, PREDICTED) == pytest.approx((2 / 3 + 1 + 1 / 2 + 1) / 4)


def test_the_calibration_error_for_equal_shares_weights_rare_classes_up():
    labels = np.array([3] * 99 + [1])
    probabilities = np.full((100, 7), 0.01, np.float32)
    probabilities[:, 3] = 0.94  # right on the 99, wrong on the only other
    assert calibration_error(probabilities, labels) == pytest.approx(0.05, abs=1e-4)
    assert calibration_error(probabilities, labels, equal=True) == pytest.approx(0.44, abs=1e-4)


def rare(count: int = 6000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits of a network that knows how rare each class is, and what is right; their shares."""
    random = np.random.default_rng(4)
    shares = np.array([0.2, 0.02, 0.1, 0.3, 0.2, 0.08, 0.1])
    labels = random.choice(7, count, p=shares)
    evidence = random.normal(0, 1, (count, 7)) + 1.5 * np.eye(7)[labels]
    return (1.5 * evidence + np.log(shares)).astype(np.float32), labels, shares


def test_the_shares_of_the_classes_are_taken_out_as_far_as_accuracy_allows():
    logits, labels, shares = rare()
    before = logits.argmax(axis=1)
    found = calibrate(logits, labels, shares, 0.02)
    after = found.apply(logits).argmax(axis=1)
    assert 0 < found.strength < 1
    assert mean_recall(labels, after) > mean_recall(labels, before) + 0.02
    assert (after == labels).mean() >= (before == labels).mean() - 0.02
    assert calibrate(logits, labels, shares, 0.5).strength > found.strength
    assert calibrate(logits, labels, shares, 0).strength == 0


def test_a_calibration_is_read_back_from_its_card():
    found = Calibration(1.2, 0.5, (0.14, 0.015, 0.145, 0.25, 0.17, 0.11, 0.17))
    assert Calibration.from_card(found.to_card()) == found
    assert Calibration.from_card({"temperature": 0.9}) == Calibration(0.9)
    logits = np.zeros((1, 7), np.float32)
    assert found.apply(logits).argmax() == 1
    assert Calibration(0.9).apply(logits) == pytest.approx(1 / 7)


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
