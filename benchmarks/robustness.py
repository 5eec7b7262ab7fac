"""Robustness of the shipped model, and its most common confusions.

    MIEN_FER2013=fer2013.csv.gz make bench-robustness

Uses the part of the training data that was held out according to the model's card, and FER+'s votes
if they are beside the data. Prints the tables of docs/model-card.md. Skipped without the data.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from recognition.engine.classifier import SHIPPED_MODEL, EmotionClassifier
from recognition.engine.emotions import EMOTIONS
from training.core.config import TrainingConfig
from training.core.data.datasets import load
from training.core.data.faces import Faces, split_off

Face = np.ndarray
SIDE, MIDDLE = 48, (23.5, 23.5)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("MIEN_FER2013"))
    parser.add_argument("--model", type=Path, default=SHIPPED_MODEL)
    options = parser.parse_args()
    if options.data is None:
        print("skipped: MIEN_FER2013 does not name FER2013's CSV")
        return 0
    card = json.loads(options.model.with_suffix(".json").read_text())
    config = TrainingConfig.from_dict(card["config"])
    with tempfile.TemporaryDirectory() as cache:
        data = load(Path(options.data), Path(os.environ.get("MIEN_CACHE", cache)))
        _, rows = split_off(data, data.rows("Training"), config.validation, config.seed)
        predict = EmotionClassifier(options.model).predict
        images, labels = np.array(data.images[rows]), np.array(data.labels[rows])
        print_mistakes(data, rows, predict(images))
    print("\n| change | accuracy |\n| --- | --- |")
    for name, change in changes().items():
        right = [
            (predict(np.stack([variant(face) for face in images])).argmax(axis=1) == labels).mean()
            for variant in change
        ]
        print(f"| {name} | {' / '.join(f'{share:.1%}' for share in right)} |")
    return 0


def print_mistakes(data: Faces, rows: np.ndarray, probabilities: np.ndarray) -> None:
    """The most common confusions, and whether FER+'s votes agree with label or prediction."""
    labels, answers = np.array(data.labels[rows]), probabilities.argmax(axis=1)
    wrong = answers != labels
    print(f"{len(labels)} faces, {1 - wrong.mean():.1%} right, {wrong.sum()} wrong")
    pairs = np.bincount(labels[wrong] * len(EMOTIONS) + answers[wrong])
    for pair in np.argsort(-pairs)[:7]:
        label, answer = divmod(int(pair), len(EMOTIONS))
        print(f"{EMOTIONS[label]} -> {EMOTIONS[answer]}: {pairs[pair]}")
    votes = np.array(data.votes[rows])
    if votes.any():
        majority = np.where(votes.any(axis=1), votes.argmax(axis=1), -1)
        with_answer, with_label = (majority == answers)[wrong], (majority == labels)[wrong]
        print(f"wrong: votes with the answer {with_answer.mean():.0%}, ", end="")
        print(f"with the label {with_label.mean():.0%}")
        clear = (majority == labels) & (votes.max(axis=1) >= 0.8)
        print(f"label and 80 % of the votes agree: {clear.sum()} faces, ", end="")
        print(f"{1 - wrong[clear].mean():.1%} right")
        sure = probabilities.max(axis=1) > 0.8
        print(
            f"above 80 %: {sure.sum()} answers, {(sure & wrong).sum()} wrong, of these votes with "
        )
        print(f"on these votes with the answer {(majority == answers)[sure & wrong].mean():.0%}")


def changes() -> dict[str, list[Callable[[Face], Face]]]:
    """The changes to a face uint8 [48, 48], by name in the table."""
    random = np.random.default_rng(0)

    def move(scale: float = 1, degrees: float = 0, shift: float = 0) -> Callable[[Face], Face]:
        matrix = cv2.getRotationMatrix2D(MIDDLE, degrees, scale)
        matrix[:, 2] += shift
        return lambda face: cv2.warpAffine(
            face, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE
        )

    def shrink(side: int) -> Callable[[Face], Face]:
        return lambda face: cv2.resize(
            cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA), (SIDE, SIDE)
        )

    def cover(top: int, bottom: int) -> Callable[[Face], Face]:
        def covered(face: Face) -> Face:
            face = face.copy()
            face[top:bottom] = 90
            return face

        return covered

    def compress(face: Face) -> Face:
        encoded = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, 20])[1]
        return cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)

    def add_noise(face: Face) -> Face:
        return np.clip(face + random.normal(0, 12, face.shape), 0, 255).astype(np.uint8)

    return {
        "none": [lambda face: face],
        "mirrored": [lambda face: face[:, ::-1]],
        "shifted by 4 pixels": [move(shift=4 / np.sqrt(2))],
        "scaled to 0.85 / to 1.15": [move(scale=0.85), move(scale=1.15)],
        "turned by 10 / 20 / 35 degrees": [move(degrees=angle) for angle in (10, 20, 35)],
        "contrast reduced to 40 %, dark": [lambda face: (face * 0.4).astype(np.uint8)],
        "noise of 12 levels": [add_noise],
        "JPEG quality 20": [compress],
        "blur of 1.5 pixels": [lambda face: cv2.GaussianBlur(face, (0, 0), 1.5)],
        "reduced to 24 / 16 / 12 pixels and enlarged": [shrink(side) for side in (24, 16, 12)],
        "eyes covered": [cover(12, 24)],
        "lower half covered, as by a mask": [cover(27, 48)],
    }


if __name__ == "__main__":
    sys.exit(main())
