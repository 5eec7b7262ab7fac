"""Teachers and taggers together come closer to the labels than either does, and learn no label."""

import numpy as np
import pytest

from training.core.figures import log_loss, macro_f1
from training.core.reconcile import reconcile

FACES = 4200


@pytest.fixture(scope="module")
def answers():
    """A teacher that is often wrong, and taggers who call every third face neutral."""
    random = np.random.default_rng(4)
    labels = random.integers(0, 7, FACES)
    taught = random.dirichlet(np.full(7, 0.5), FACES) * 0.6 + 0.4 * np.eye(7)[labels]
    seen = np.where(random.random(FACES) < 0.33, 6, labels)
    votes = np.array([random.multinomial(10, 0.06 + 0.58 * row) for row in np.eye(7)[seen]]) / 10
    return taught, votes, labels, np.arange(FACES) % 5


def test_together_they_know_more(answers):
    taught, votes, labels, folds = answers
    shares = reconcile(*answers)
    assert shares.sum(axis=1) == pytest.approx(1, abs=1e-5)
    together = macro_f1(labels, shares.argmax(axis=1))
    assert together > macro_f1(labels, taught.argmax(axis=1)) + 0.02
    assert together > macro_f1(labels, votes.argmax(axis=1)) + 0.02
    alone = reconcile(taught, np.zeros_like(votes), labels, folds)
    assert log_loss(np.log(shares), labels) < log_loss(np.log(alone), labels) - 0.02


def test_the_bias_of_the_taggers_goes(answers):
    _, votes, labels, folds = answers
    neutral = (labels == 6).mean()
    assert votes[:, 6].mean() > 2 * neutral
    nothing = np.full_like(votes, 1 / 7)
    assert reconcile(nothing, votes, labels, folds)[:, 6].mean() == pytest.approx(neutral, abs=0.01)


def test_a_label_does_not_show_in_its_own_share(answers):
    taught, votes, labels, folds = answers
    changed = labels.copy()
    changed[folds == 0] = (changed[folds == 0] + 3) % 7
    before, after = reconcile(*answers), reconcile(taught, votes, changed, folds)
    assert after[folds == 0] == pytest.approx(before[folds == 0])
    assert np.abs(after[folds == 1] - before[folds == 1]).max() > 0.05


def test_taggers_who_mostly_agree_do_not_lead_the_regression_astray():
    """Newton's whole steps ended at a log loss of 15 here."""
    random = np.random.default_rng(0)
    labels = random.choice(7, FACES, p=[0.14, 0.02, 0.14, 0.25, 0.17, 0.11, 0.17])
    seen = np.where(random.random(FACES) < 0.7, labels, random.integers(0, 7, FACES))
    unsure = random.random(FACES) < 0.3
    votes = np.eye(7)[seen]
    votes[unsure] = [random.multinomial(10, 0.86 * row + 0.02) / 10 for row in votes[unsure]]
    shares = reconcile(np.full_like(votes, 1 / 7), votes, labels, np.arange(FACES) % 5)
    assert log_loss(np.log(shares), labels) < 1.1
