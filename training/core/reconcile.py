"""Which label a face probably has, by its teacher and its taggers together.

FER+'s taggers call far more faces neutral than FER2013's labels do: their votes as they stand would
teach a bias. A multinomial logistic regression learns what labels go with which answers.
"""

import numpy as np
from numpy.typing import NDArray

from recognition.engine.emotions import EMOTIONS

from .figures import log_loss, softmax

_RIDGE = 1e-4
_LOWEST = 1e-4
"""A teacher's share, kept from zero; a byte of the stored shares is 40 times as much."""


def reconcile(
    taught: NDArray[np.floating],
    votes: NDArray[np.floating],
    labels: NDArray[np.int64],
    folds: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Shares float32 [n, 7] from the teachers' [n, 7], the taggers' [n, 7] and labels [n].

    Those of a face follow from the other folds' labels only (`folds`: its fold's number, [n]), so
    that no label is told on by its own share.
    """
    features = _features(np.asarray(taught, np.float64), np.asarray(votes, np.float64))
    shares = np.empty((len(labels), len(EMOTIONS)), np.float32)
    for fold in np.unique(folds):
        inside = folds == fold
        weights = _regress(features[~inside], labels[~inside])
        shares[inside] = softmax(features[inside] @ weights)
    return shares


def _features(taught: NDArray[np.float64], votes: NDArray[np.float64]) -> NDArray[np.float64]:
    ones = np.ones((len(votes), 1))
    logs = np.log(np.maximum(taught, _LOWEST))
    return np.hstack([ones, logs, votes, np.log(votes + 0.05), votes > 0])


def _regress(features: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weights [d, 7] of least log loss, by Newton's method; a little ridge makes them unique."""
    count, width = features.shape
    classes = len(EMOTIONS)
    weights = np.zeros((width, classes))
    wanted = np.eye(classes)[labels]
    for _ in range(20):
        shares = softmax(features @ weights)
        gradient = features.T @ (shares - wanted) / count + 2 * _RIDGE * weights
        curvature = np.zeros((classes, width, classes, width))
        for one in range(classes):
            for other in range(one + 1):
                product = shares[:, one] * ((one == other) - shares[:, other]) / count
                block = features.T @ (features * product[:, np.newaxis])
                curvature[one, :, other] = curvature[other, :, one] = block
        square = curvature.reshape(classes * width, classes * width)
        square.flat[:: classes * width + 1] += 2 * _RIDGE
        step = np.linalg.solve(square, gradient.T.ravel()).reshape(classes, width).T
        # A whole step from far away can lead further away: half of it, until it helps.
        before = _loss(features, weights, labels)
        while _loss(features, weights - step, labels) > before and np.abs(step).max() >= 1e-6:
            step /= 2
        weights -= step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def _loss(
    features: NDArray[np.float64], weights: NDArray[np.float64], labels: NDArray[np.int64]
) -> float:
    ridge = _RIDGE * float(np.square(weights).sum())
    return log_loss(features @ weights, labels) + ridge
