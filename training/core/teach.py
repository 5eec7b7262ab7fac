"""Labels from teachers: what large networks say about training faces they haven't seen.

    KERAS_BACKEND=jax python -m training.core.teach --data FOLDER --output OUTPUT

FER2013's labels are noisy, and a network that has memorized a face just repeats its label. So the
training part is split into folds, with near-duplicates in the same fold. For each fold, a large
network learns from all the others and then labels this one (cross-fitting). `reconcile` combines
its probabilities with the taggers' votes into shares, which become part of the student's targets
(distillation: Hinton et al. 2015, arXiv 1503.02531). Teachers neither learn nor label the faces
that the config holds out for validation.

`--fold K` trains a single fold, so several can run side by side. OUTPUT/taught.npz is written once
all folds are done; give it to a run with `--teachers`. The shipped model was trained with the
taught.npz beside this module.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.engine.emotions import EMOTIONS

from .checkpoint import CheckpointError, describe
from .config import TEACHERS, TrainingConfig, add_options, read_config
from .data.datasets import load_for
from .data.faces import DatasetError, Faces, split_off
from .data.targets import TAUGHT, write_taught
from .evaluate import fit_temperature, log_loss, softmax

_TAUGHT = TAUGHT.name
_LOGITS = "logits.npy"

_RIDGE = 1e-4
_LOWEST = 1e-4
"""Keeps a teacher's share above 0 for its logarithm. Stored shares are 40 times as coarse."""


def cut_folds(faces: Faces, config: TrainingConfig, folds: int) -> list[NDArray[np.int64]]:
    """Split the training rows into `folds` parts of about the same size, with groups kept whole."""
    if folds < 2:
        raise ValueError(
            "At least 2 folds are needed, because a teacher labels only what it hasn't seen."
        )
    training, _ = split_off(faces, faces.rows("Training"), config.validation, config.seed)
    groups = np.unique(faces.groups[training])
    if len(groups) < folds:
        raise DatasetError(f"There are too few different faces for {folds} folds.")
    fold = np.empty(int(faces.groups.max()) + 1, np.int64)
    fold[groups] = np.random.default_rng(config.seed).permutation(len(groups)) % folds
    return [training[fold[faces.groups[training]] == number] for number in range(folds)]


def teach(
    config: TrainingConfig,
    faces: Faces,
    folds: int,
    number: int,
    folder: Path,
    steps_at_once: int = 1,
) -> NDArray[np.float32]:
    """Train the teacher of fold `number`, or resume it; gives its logits [n, 7] for the fold.

    The logits are averaged over small shifts of each face, mirrored and not, and calibrated to the
    fold's labels with one temperature. `folder` keeps the teacher's checkpoint.
    """
    # Imported here because helper processes import this module again and must not load Keras.
    from .fit import fit, predict_logits, trained

    parts = cut_folds(faces, config, folds)
    fold = parts[number]
    others = np.concatenate([part for part in parts if part is not fold])
    progress = fit(
        config,
        faces,
        folder,
        parts=(others, fold),
        steps_at_once=steps_at_once,
        on_epoch=lambda epoch: print(f"fold {number}, {describe(epoch)}", flush=True),
    )
    model = trained(config.architecture, progress.best)
    logits = np.mean([predict_logits(model, view) for view in _views(faces.images[fold])], axis=0)
    return np.asarray(logits / fit_temperature(logits, faces.labels[fold]), np.float32)


def _views(images: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Faces as they are and shifted by two pixels each way, all of them mirrored as well."""
    around = np.pad(images, ((0, 0), (2, 2), (2, 2)), mode="edge")
    side = images.shape[1]
    corners = [(2, 2), (0, 2), (4, 2), (2, 0), (2, 4)]
    moved = [around[:, top : top + side, left : left + side] for top, left in corners]
    return moved + [view[:, :, ::-1] for view in moved]


def reconcile(
    taught: NDArray[np.floating],
    votes: NDArray[np.floating],
    labels: NDArray[np.int64],
    folds: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Shares of the classes, float32 [n, 7], from teachers [n, 7], votes [n, 7] and labels [n].

    FER+'s taggers call far more faces neutral than FER2013's labels do, so using their votes
    directly would teach a bias. Instead, a multinomial logistic regression learns which labels go
    with which answers. `folds` [n] are fold numbers: the shares of a face come from the labels of
    the other folds only, so its own label can't leak into them.
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
    """Weights [d, 7] of least log loss, by Newton's method. A little ridge makes them unique."""
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
        # Far from the minimum a whole step can overshoot: halve it until it helps.
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


def main(arguments: list[str] | None = None) -> int:
    """Train the missing folds, or the one that was asked for; gives the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m training.core.teach",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(parser, presets=TEACHERS)
    parser.add_argument("--cache", type=Path, default=Path("var/cache/datasets"))
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--fold", type=int, help="train only this fold, counted from 0")
    options = parser.parse_args(arguments)
    output = options.output or Path("var/training/teachers")
    wanted = range(options.folds) if options.fold is None else [options.fold]
    try:
        if not set(wanted) <= set(range(options.folds)):
            raise ValueError(f"Folds are numbered from 0 to {options.folds - 1}.")
        config = read_config(vars(options), TEACHERS)
        faces = load_for(config, options.data, options.cache, options.votes)
        for number in wanted:
            folder = output / f"fold-{number}"
            logits = teach(config, faces, options.folds, number, folder, options.steps_at_once)
            np.save(folder / _LOGITS, logits)
        stored = [output / f"fold-{number}" / _LOGITS for number in range(options.folds)]
        if all(path.is_file() for path in stored):
            parts = cut_folds(faces, config, options.folds)
            rows, folds = np.concatenate(parts), np.repeat(range(len(parts)), list(map(len, parts)))
            taught = softmax(np.concatenate([np.load(path) for path in stored]))
            shares = reconcile(taught, faces.votes[rows], faces.labels[rows], folds)
            write_taught(faces, rows, shares, output / _TAUGHT)
            alone, together = (
                (answers.argmax(axis=1) == faces.labels[rows]).mean()
                for answers in (taught, shares)
            )
            print(
                f"teachers agree with {alone:.4f} of the labels, and with {together:.4f} together "
                f"with the taggers; wrote {output / _TAUGHT}"
            )
    except (DatasetError, CheckpointError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
