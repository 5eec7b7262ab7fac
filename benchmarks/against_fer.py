"""Photos per second and faces found, against the PyPI package fer in its default form.

    make bench-against_fer

All take turns on the same core with the same 640-pixel JPEG files: portraits, and group photos
composed of them, so the positions of the faces are known. Each side is a process that takes file
names and returns boxes; fer has its own virtual environment, created on first use in
var/bench/fer-venv. MIEN_TEST_FACES names the folder of face photos (default: shared/faces beside
the repository).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from PIL import Image

ROOT = Path(__file__).parents[1]
ENVIRONMENT = ROOT / "var" / "bench" / "fer-venv"

FER = "fer==25.10.3"
# What fer imports by default. PyTorch, MoviePy and its other requirements are for
# FER(mtcnn=True) and the sound of videos; OpenCV 5 has no Haar cascades, setuptools 81 no
# pkg_resources.
FER_NEEDS = (
    "tensorflow-cpu==2.20.0",
    "opencv-contrib-python==4.12.0.88",
    "requests==2.34.2",
    "pillow==13.0.0",
    "setuptools==79.0.1",
    # Only its Video needs these.
    "pandas==3.1.1",
    "matplotlib==3.11.2",
    "tqdm==4.70.1",
)

# Left, top, right and bottom of the face as fractions of every portrait of the set.
FACE = (0.33, 0.28, 0.67, 0.74)
GOALS = {"fast": 3.0, "balanced": 2.0}
"""Photos per second of each detector, against fer."""

Box = tuple[float, float, float, float]


def answer_as_mien(name: Any) -> None:
    """Read file names from standard input and print the engine's boxes as JSON."""
    from recognition.engine.classifier import EmotionClassifier
    from recognition.engine.detectors import open_detector
    from recognition.engine.pipeline import analyze_photo

    detector, classifier = open_detector(name), EmotionClassifier()

    def read(name: str) -> list[Box]:
        faces = analyze_photo(Path(name), detector, classifier).faces
        boxes = [face.detection.box for face in faces]
        return [(box.x, box.y, box.width, box.height) for box in boxes]

    answer(read)


def answer_as_fer() -> None:
    """The same, by fer."""
    import cv2
    from fer.fer import FER as Reader

    reader = Reader(mtcnn=False)

    def read(name: str) -> list[Box]:
        faces = reader.detect_emotions(cv2.imread(name))
        return [tuple(float(value) for value in face["box"]) for face in faces]

    answer(read)


def answer(read: Callable[[str], list[Box]]) -> None:
    replies = os.fdopen(os.dup(1), "w")
    # Keep what libraries print out of the answers.
    os.dup2(2, 1)
    print("ready", file=replies, flush=True)
    for line in sys.stdin:
        started = time.process_time()
        boxes = read(line.strip())
        print(json.dumps([boxes, time.process_time() - started]), file=replies, flush=True)


class Side:
    """One of the programs, in a separate process on the given core."""

    def __init__(self, name: str, python: Path, core: int) -> None:
        self.name = name
        self.times: dict[str, list[float]] = {}
        self.processor_times: dict[str, list[float]] = {}
        self.boxes: dict[str, list[Box]] = {}
        command = ["taskset", "-c", str(core), str(python), "-m", "benchmarks.against_fer"]
        self.process = subprocess.Popen(
            [*command, "--answer-as", name],
            cwd=ROOT,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self.reply() != "ready":
            sys.exit(f"{name} did not start")

    def reply(self) -> str:
        return self.process.stdout.readline().strip()

    def read(self, photo: str, keep: bool) -> None:
        """Analyze a photo; record its time if `keep`."""
        started = time.perf_counter()
        print(photo, file=self.process.stdin, flush=True)
        boxes, processor_time = json.loads(self.reply())
        if keep:
            self.times.setdefault(photo, []).append(time.perf_counter() - started)
            self.processor_times.setdefault(photo, []).append(processor_time)
            self.boxes[photo] = boxes

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def photos_per_second(times: dict[str, list[float]]) -> float:
    """By the median time of each photo, in seconds."""
    return len(times) / sum(median(seconds) for seconds in times.values())


def make_environment() -> Path:
    """The Python of an environment with fer in it."""
    python = ENVIRONMENT / "bin" / "python"
    ready = ENVIRONMENT / "ready"
    if not ready.exists():
        print("Installing fer in a separate environment; this takes some minutes ...")
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*install, *FER_NEEDS], check=True)
        subprocess.run([*install, "--no-deps", FER], check=True)
        ready.touch()
    return python


def make_photos(faces: Path, folder: Path) -> dict[str, list[Box]]:
    """Write the photos as JPEG files; returns the known boxes in each."""
    portraits = [Image.open(file).convert("RGB") for file in sorted(faces.glob("*.jpg"))]
    known: dict[str, list[Box]] = {}
    for columns, rows in ((1, 1), (2, 1), (3, 2), (4, 3)):
        side, count = 640 // columns, columns * rows
        for start in range(0, len(portraits) - count + 1, count):
            photo = Image.new("RGB", (side * columns, side * rows))
            boxes = []
            for index, portrait in enumerate(portraits[start : start + count]):
                x, y = index % columns * side, index // columns * side
                photo.paste(portrait.resize((side, side), Image.Resampling.LANCZOS), (x, y))
                left, top, right, bottom = (part * side for part in FACE)
                boxes.append((x + left, y + top, right - left, bottom - top))
            name = str(folder / f"{count:02}-{start:02}.jpg")
            photo.save(name, quality=90)
            known[name] = boxes
    return known


def count_hits(known: list[Box], found: list[Box]) -> int:
    """How many known faces have a box of about the right place and size."""

    def same(face: Box, box: Box) -> bool:
        x, y = box[0] + box[2] / 2 - face[0], box[1] + box[3] / 2 - face[1]
        return 0 < x < face[2] and 0 < y < face[3] and 0.5 < box[2] / face[2] < 2

    return sum(any(same(face, box) for box in found) for face in known)


def compare(faces: Path, rounds: int) -> int:
    """Print the results of all; returns 0 if the goals are met."""
    core = max(os.sched_getaffinity(0))
    python = {"fast": Path(sys.executable), "balanced": Path(sys.executable)}
    python["fer"] = make_environment()
    sides = [Side(name, path, core) for name, path in python.items()]
    with tempfile.TemporaryDirectory() as folder:
        known = make_photos(faces, Path(folder))
        for number in range(rounds + 1):
            for photo in known:
                for side in sides:
                    side.read(photo, keep=number > 0)
    count = sum(len(boxes) for boxes in known.values())
    print(f"{len(known)} photos, {count} known faces, {rounds} rounds in turns on core {core}")
    hits = {}
    for side in sides:
        hits[side.name] = sum(count_hits(known[photo], side.boxes[photo]) for photo in known)
        other = sum(len(boxes) for boxes in side.boxes.values()) - hits[side.name]
        print(
            f"{side.name:9}{photos_per_second(side.times):6.1f} photos/s, "
            f"{hits[side.name]} of the known faces found, {other} other boxes"
        )
        side.stop()
    *ours, fer = sides
    missed = False
    for mien in ours:
        ratio = photos_per_second(mien.times) / photos_per_second(fer.times)
        # The ratio without other load on the core.
        processor = photos_per_second(mien.processor_times) / photos_per_second(fer.processor_times)
        goal = GOALS[mien.name]
        print(f"{mien.name}: ratio {ratio:.1f} (goal: {goal:g}); of processor time {processor:.1f}")
        missed = missed or ratio < goal or hits[mien.name] < hits["fer"]
    return 1 if missed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--answer-as", choices=[*GOALS, "fer"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.answer_as:
        if options.answer_as == "fer":
            answer_as_fer()
        else:
            answer_as_mien(options.answer_as)
        return 0
    faces = Path(os.environ.get("MIEN_TEST_FACES", ROOT.parent / "shared" / "faces"))
    if not any(faces.glob("*.jpg")):
        print("skipped: MIEN_TEST_FACES names no folder with face photos (*.jpg)")
        return 0
    return compare(faces, options.rounds)


if __name__ == "__main__":
    sys.exit(main())
