"""The engine on one thread: photos of 640 pixels and of 12 megapixels, and one face.

Prints median times of decoding, detection and classification, and fails above the limits. The
limits apply to wall time; CPU time shows how busy the machine was. Without a face, the photo's
quarter turns are searched too.
"""

import argparse
import sys
import time
from statistics import median

import numpy as np
import skimage.data
from PIL import Image

from recognition.engine.classifier import EmotionClassifier
from recognition.engine.detector import MtcnnDetector
from recognition.engine.detectors import open_detector
from recognition.engine.examiner import Examiner
from recognition.engine.media import encode_jpeg
from recognition.engine.mesh import FaceMesh
from recognition.engine.pipeline import analyze_photo
from recognition.engine.types import DetectorName
from training.core.evaluate import measure_time

Row = dict[str, float]

PHOTOS = {"640-pixel photo": 1, "12-megapixel JPEG": 1, "640 pixels, no face": 0}
"""How many faces each has."""

WAYS: tuple[tuple[DetectorName, bool], ...] = (
    ("fast", False),
    ("fast", True),
    ("balanced", False),
    ("balanced", True),
    ("thorough", True),
)
"""Detectors, and whether faces are measured on a mesh."""

LIMITS = {
    ("640-pixel photo", "fast", False): 26.0,
    ("640-pixel photo", "fast", True): 30.0,
    ("640-pixel photo", "balanced", False): 33.0,
    ("12-megapixel JPEG", "fast", False): 150.0,
}
STEPS = ("decode", "detect", "classify", "measure")
FACE_LIMIT = 3.5
MESH_LIMIT = 4.0
"""For the classifier and the mesh alone, one face."""


def make_photos() -> dict[str, bytes]:
    """The portrait at 640 pixels, in the center of a noisy 4000x3000 photo, and a cup of coffee."""
    portrait = Image.fromarray(skimage.data.astronaut())
    small = portrait.resize((640, 640), Image.Resampling.LANCZOS)
    grain = np.random.default_rng(0).normal(128, 6, (3000, 4000, 1)).clip(0, 255)
    large = Image.fromarray(np.repeat(grain.astype(np.uint8), 3, axis=2))
    large.paste(portrait.resize((2400, 2400), Image.Resampling.LANCZOS), (800, 300))
    coffee = Image.fromarray(skimage.data.coffee()).resize((640, 427), Image.Resampling.LANCZOS)
    photos = [encode_jpeg(np.asarray(photo), quality=90) for photo in (small, large, coffee)]
    return dict(zip(PHOTOS, photos, strict=True))


def measure(photo: bytes, faces: int, rounds: int, name: DetectorName, mesh: bool) -> Row:
    """Median milliseconds of each step, of all (wall), and of CPU time."""
    detector, classifier = open_detector(name), EmotionClassifier()
    examiner = Examiner() if mesh else None
    rows = []
    for _ in range(rounds + 2):
        wall, processor = time.perf_counter(), time.thread_time()
        analysis = analyze_photo(photo, detector, classifier, examiner=examiner)
        row = {
            "wall": (time.perf_counter() - wall) * 1000,
            "processor": (time.thread_time() - processor) * 1000,
        }
        if len(analysis.faces) != faces:
            sys.exit(f"{len(analysis.faces)} faces found instead of {faces}")
        rows.append(row | analysis.milliseconds)
    warm = rows[2:]
    return {name: median(row[name] for row in warm) for name in (*STEPS, "wall", "processor")}


def measure_mesh(rounds: int) -> float:
    """Median milliseconds of one face's mesh."""
    rgb = skimage.data.astronaut()
    landmarks, network = MtcnnDetector().detect(rgb)[0].landmarks, FaceMesh()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        network.read(rgb, landmarks)
        times.append(1000 * (time.perf_counter() - started))
    return median(times)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    over = False
    print(f"medians of {options.rounds} rounds in milliseconds, one thread")
    heads = "".join(f"{head:>10}" for head in (*STEPS, "wall", "processor", "limit"))
    print(f"{'':37}{heads}")
    for photo, content in make_photos().items():
        for name, mesh in WAYS:
            row = measure(content, PHOTOS[photo], options.rounds, name, mesh)
            limit = LIMITS.get((photo, name, mesh))
            over = over or (limit is not None and row["wall"] > limit)
            cells = "".join(f"{row[step]:10.1f}" for step in (*STEPS, "wall", "processor"))
            print(f"{photo:20} {name:9}{'mesh' if mesh else '':7}{cells}{limit or '':>10}")
    face = measure_time(EmotionClassifier().predict, repeats=10 * options.rounds)
    mesh_time = measure_mesh(10 * options.rounds)
    over = over or face > FACE_LIMIT or mesh_time > MESH_LIMIT
    for what, milliseconds, limit in (
        ("one face read", face, FACE_LIMIT),
        ("one mesh", mesh_time, MESH_LIMIT),
    ):
        print(f"{what:77}{milliseconds:10.1f}{'':10}{limit:10}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
