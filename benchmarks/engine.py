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
from recognition.engine.media import encode_jpeg
from recognition.engine.pipeline import analyze_photo
from training.core.evaluate import measure_time

LIMITS = {"640-pixel photo": 30.0, "12-megapixel JPEG": 150.0, "640 pixels, no face": None}
FACES = {"640-pixel photo": 1, "12-megapixel JPEG": 1, "640 pixels, no face": 0}
STEPS = ("decode", "detect", "classify")
FACE_LIMIT = 3.5
"""For the classifier alone."""


def make_photos() -> dict[str, bytes]:
    """The portrait at 640 pixels, in the center of a noisy 4000x3000 photo, and a cup of coffee."""
    portrait = Image.fromarray(skimage.data.astronaut())
    small = portrait.resize((640, 640), Image.Resampling.LANCZOS)
    grain = np.random.default_rng(0).normal(128, 6, (3000, 4000, 1)).clip(0, 255)
    large = Image.fromarray(np.repeat(grain.astype(np.uint8), 3, axis=2))
    large.paste(portrait.resize((2400, 2400), Image.Resampling.LANCZOS), (800, 300))
    coffee = Image.fromarray(skimage.data.coffee()).resize((640, 427), Image.Resampling.LANCZOS)
    photos = [encode_jpeg(np.asarray(photo), quality=90) for photo in (small, large, coffee)]
    return dict(zip(LIMITS, photos, strict=True))


def measure(photo: bytes, faces: int, rounds: int) -> dict[str, float]:
    """Median milliseconds of each step, of all (wall), and of CPU time."""
    detector, classifier = MtcnnDetector(), EmotionClassifier()
    rows = []
    for _ in range(rounds + 2):
        wall, processor = time.perf_counter(), time.thread_time()
        analysis = analyze_photo(photo, detector, classifier)
        row = {
            "wall": (time.perf_counter() - wall) * 1000,
            "processor": (time.thread_time() - processor) * 1000,
        }
        if len(analysis.faces) != faces:
            sys.exit(f"{len(analysis.faces)} faces found instead of {faces}")
        rows.append(row | analysis.milliseconds)
    warm = rows[2:]
    return {name: median(row[name] for row in warm) for name in (*STEPS, "wall", "processor")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    over = False
    print(f"medians of {options.rounds} rounds in milliseconds, one thread")
    print(f"{'':20} {'decode':>7} {'detect':>7} {'classify':>8} {'wall':>7} {'processor':>9} limit")
    for name, photo in make_photos().items():
        row, limit = measure(photo, FACES[name], options.rounds), LIMITS[name]
        over = over or (limit is not None and row["wall"] > limit)
        print(
            f"{name:20} {row['decode']:7.1f} {row['detect']:7.1f} {row['classify']:8.1f} "
            f"{row['wall']:7.1f} {row['processor']:9.1f} {limit or '':>5}"
        )
    face = measure_time(EmotionClassifier().predict, repeats=10 * options.rounds)
    over = over or face > FACE_LIMIT
    print(f"{'one face read':20} {'':>31} {face:7.1f} {'':>9} {FACE_LIMIT:>5}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
