"""Faces found, and landmarks placed correctly, in photos turned by any angle.

The portraits of MIEN_TEST_FACES (by default shared/faces beside the repository) at 480 pixels are
turned about their center; landmarks count as right within a third of the eyes' distance.
"""

import argparse
import os
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from recognition.engine.detector import MtcnnDetector
from recognition.engine.types import Detection

ROOT = Path(__file__).parents[1]
SIDE = 480


def points_of(face: Detection) -> np.ndarray:
    """The landmarks [5, 2]."""
    return np.array([getattr(face.landmarks, name) for name in face.landmarks.__slots__])


def turn(photo: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """The photo turned counterclockwise, and the 2x3 map of its points."""
    matrix = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), degrees, 1)
    turned = cv2.warpAffine(photo, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    return turned, matrix


def count(photos: list[np.ndarray], detector: MtcnnDetector, degrees: float) -> tuple[int, int]:
    """In how many photos a face is found, and in how many its landmarks are right."""
    found = right = 0
    for photo in photos:
        turned, matrix = turn(photo, degrees)
        faces = detector.detect(turned)
        if not faces:
            continue
        found += 1
        expected = points_of(detector.detect(photo)[0]) @ matrix[:, :2].T + matrix[:, 2]
        allowed = np.linalg.norm(expected[1] - expected[0]) / 3
        right += bool(np.abs(points_of(faces[0]) - expected).max() < allowed)
    return found, right


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--step", type=int, default=15, help="degrees from one turn to the next")
    options = parser.parse_args()
    folder = Path(os.environ.get("MIEN_TEST_FACES", ROOT.parent / "shared" / "faces"))
    files = sorted(folder.glob("*.jpg"))
    if not files:
        print("skipped: MIEN_TEST_FACES names no folder with face photos (*.jpg)")
        return 0
    photos = [np.asarray(Image.open(file).convert("RGB").resize((SIDE, SIDE))) for file in files]
    once, twice = MtcnnDetector(second_look=False), MtcnnDetector()
    print(f"{len(photos)} portraits; found and right without and with the second look")
    for degrees in range(0, 360, options.step):
        first, second = count(photos, once, degrees), count(photos, twice, degrees)
        print(f"{degrees:4}° {first[0]:4} {first[1]:3} {second[0]:6} {second[1]:3}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
