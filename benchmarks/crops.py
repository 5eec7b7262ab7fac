"""FER2013's PublicTest as 48x48 PNG files through the engine's command: how many faces, how right.

    MIEN_FER2013=fer2013.csv.gz make bench-crops

Each picture is a face already. At least 99 % must give exactly one face, and the accuracy must be
within 1.5 points of the classifier's own. Skipped without the data.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from recognition.engine.classifier import EmotionClassifier
from recognition.engine.emotions import EMOTIONS
from tests.processes import ROOT
from training.core.data.datasets import load

LIMIT_FOUND, LIMIT_POINTS = 0.99, 1.5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=os.environ.get("MIEN_FER2013"))
    options = parser.parse_args()
    if not options.data:
        print("skipped: MIEN_FER2013 does not name FER2013's CSV")
        return 0
    cache = ROOT / "var" / "cache" / "datasets"
    faces = load(Path(options.data), Path(os.environ.get("MIEN_CACHE", cache)))
    rows = faces.rows("PublicTest")
    images, labels = np.asarray(faces.images[rows]), np.asarray(faces.labels[rows])
    alone = float((EmotionClassifier().predict(images).argmax(axis=1) == labels).mean())
    with tempfile.TemporaryDirectory() as folder:
        for number, image in enumerate(images):
            Image.fromarray(image).save(Path(folder, f"{number:05}.png"))
        command = [sys.executable, "-m", "recognition.engine", folder, "--json", "--jobs", "2"]
        printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in printed.stdout.splitlines()]
    one = [len(line["faces"]) == 1 for line in lines]
    right = [
        found and line["faces"][0]["emotion"] == EMOTIONS[label]
        for found, line, label in zip(one, lines, labels, strict=True)
    ]
    whole = sum(line["faces"][0]["whole_picture"] for line in lines if line["faces"])
    found, accuracy = sum(one) / len(lines), sum(right) / len(lines)
    print(f"{len(lines)} crops: {found:.2%} with exactly one face (at least {LIMIT_FOUND:.0%}),")
    print(f"  {whole} of them read as a whole picture")
    print(
        f"  accuracy {accuracy:.2%}, the classifier alone {alone:.2%} (at most {LIMIT_POINTS} less)"
    )
    return 0 if found >= LIMIT_FOUND and accuracy * 100 >= alone * 100 - LIMIT_POINTS else 1


if __name__ == "__main__":
    sys.exit(main())
