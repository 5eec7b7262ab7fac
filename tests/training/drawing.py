"""Small drawn data sets with distinguishable classes."""

import csv
import gzip
from pathlib import Path

import numpy as np

from training.core.data.faces import SPLITS, Faces

VOTES_HEADER = (
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
)


def draw_faces(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a bright bar whose height is the class: images [n, 48, 48], labels [n]."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 7
    images = random.integers(0, 90, (count, 48, 48), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2 + 6 * label : 8 + 6 * label] += 140
    return images, labels


def make_faces(count: int, seed: int = 0) -> Faces:
    """The same as a data set in memory, all Training."""
    images, labels = draw_faces(count, seed)
    return Faces(
        images=images,
        labels=labels,
        splits=np.zeros(count, np.uint8),
        votes=np.zeros((count, 7), np.float32),
        is_face=np.ones(count, np.bool_),
        groups=np.arange(count),
        sources={"drawn": "0" * 64},
    )


def write_csv(path: Path, count: int = 14, seed: int = 0) -> Path:
    """A CSV in the official format: three of four rows Training, the rest PublicTest; gzipped if
    named .gz."""
    images, labels = draw_faces(count, seed)
    open_text = gzip.open if path.suffix == ".gz" else open
    with open_text(path, "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["emotion", "pixels", "Usage"])
        for number, (image, label) in enumerate(zip(images, labels, strict=True)):
            pixels = " ".join(map(str, image.ravel()))
            writer.writerow([label, pixels, SPLITS[1 if number % 4 == 3 else 0]])
    return path


def write_votes(path: Path, rows: list[str]) -> Path:
    """FER+'s CSV with these rows after its header."""
    path.write_text("\n".join([VOTES_HEADER, *rows]) + "\n")
    return path
