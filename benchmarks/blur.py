"""How blur affects sharpness and accuracy, and where accuracy begins to drop.

    MIEN_FER2013=fer2013.csv.gz make bench-blur

The folder MIEN_TEST_FACES (by default shared/faces beside the repository) holds portraits named
neutral_*.jpg and smiling_*.jpg, which go through the engine. From FER2013 it uses the part that was
held out according to the model's card. Missing data is skipped. Blur is in pixels of the 48 x 48
face. Prints the table of docs/model-card.md and the time of the measurement.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
from PIL import Image

from recognition.engine.align import SIDE, TEMPLATE, align_face
from recognition.engine.classifier import SHIPPED_MODEL, EmotionClassifier
from recognition.engine.detectors import open_detector
from recognition.engine.emotions import EMOTIONS
from recognition.engine.sharpness import BLURRED, measure_sharpness
from training.core.config import TrainingConfig
from training.core.data.datasets import load
from training.core.data.faces import split_off

ROOT = Path(__file__).parents[1]
PORTRAITS = "*_*.jpg"
Picture = np.ndarray
Change = Callable[[Picture, float], Picture]
SIGMAS = (0.5, 1, 1.25, 1.5, 2, 2.5, 3)
SIDES = (32, 24, 20, 16, 12)
MOST_MICROSECONDS = 200
EYES = float(TEMPLATE[1, 0] - TEMPLATE[0, 0])  # pixels between the eyes of an aligned face


def main() -> int:
    predict = EmotionClassifier().predict
    print("| faces | change | accuracy | sharpness 5 / 50 / 95 % | called blurred |")
    print("| --- | --- | --- | --- | --- |")
    portraits = Path(os.environ.get("MIEN_TEST_FACES", ROOT.parent / "shared" / "faces"))
    sources: list[Portraits | HeldOut] = []
    if any(portraits.glob(PORTRAITS)):
        sources.append(Portraits(portraits))
    if data := os.environ.get("MIEN_FER2013"):
        sources.append(HeldOut(data))
    for source in sources:
        for name, change in changes():
            faces, labels = source.faces(change)
            right = (predict(faces).argmax(axis=1) == labels).mean()
            sharpness = np.array([measure_sharpness(face) for face in faces])
            low, middle, high = np.percentile(sharpness, [5, 50, 95])
            print(
                f"| {source.name} | {name} | {right:.1%} | {low:.3f} / {middle:.3f} / {high:.3f} "
                f"| {(sharpness < BLURRED).mean():.0%} |",
                flush=True,
            )
    return print_cost()


def changes() -> Iterator[tuple[str, Change]]:
    """The changes to a picture in which one pixel of the face is `scale` pixels wide."""
    yield "none", lambda picture, scale: picture
    for sigma in SIGMAS:
        yield (
            f"blur of {sigma} pixels",
            lambda picture, scale, sigma=sigma: cv2.GaussianBlur(picture, (0, 0), sigma * scale),
        )
    for side in SIDES:
        yield (
            f"reduced to {side} pixels and enlarged",
            lambda picture, scale, side=side: shrunk(picture, side / SIDE / scale),
        )


def shrunk(picture: Picture, factor: float) -> Picture:
    height, width = picture.shape[:2]
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), (width, height))


class Portraits:
    """Photos framed by the engine, changed at their own resolution."""

    name = "portraits"

    def __init__(self, folder: Path) -> None:
        detector = open_detector()
        self.found = []
        for path in sorted(folder.glob(PORTRAITS)):
            photo = np.asarray(Image.open(path).convert("RGB"))
            (face,) = detector.detect(photo)
            label = "happy" if path.name.startswith("smiling") else "neutral"
            self.found.append((photo, face.landmarks, EMOTIONS.index(label)))

    def faces(self, change: Change) -> tuple[np.ndarray, np.ndarray]:
        faces, labels = [], []
        for photo, marks, label in self.found:
            scale = np.hypot(*np.subtract(marks.right_eye, marks.left_eye)) / EYES
            faces.append(align_face(change(photo, float(scale)), marks))
            labels.append(label)
        return np.stack(faces), np.array(labels)


class HeldOut:
    """FER2013's held-out faces, unchanged."""

    name = "FER2013"

    def __init__(self, path: str) -> None:
        card = json.loads(SHIPPED_MODEL.with_suffix(".json").read_text())
        config = TrainingConfig.from_dict(card["config"])
        with tempfile.TemporaryDirectory() as cache:
            data = load(Path(path), Path(os.environ.get("MIEN_CACHE", cache)))
            _, rows = split_off(data, data.rows("Training"), config.validation, config.seed)
            self.images, self.labels = np.array(data.images[rows]), np.array(data.labels[rows])

    def faces(self, change: Change) -> tuple[np.ndarray, np.ndarray]:
        return np.stack([change(face, 1.0) for face in self.images]), self.labels


def print_cost() -> int:
    """Print the time for one face; returns 1 if it exceeds the limit."""
    face = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    times = []
    for _ in range(2000):
        started = perf_counter()
        measure_sharpness(face)
        times.append(perf_counter() - started)
    cost = float(np.median(times)) * 1e6
    print(f"\na face costs {cost:.0f} microseconds (at most {MOST_MICROSECONDS})")
    return int(cost > MOST_MICROSECONDS)


if __name__ == "__main__":
    sys.exit(main())
