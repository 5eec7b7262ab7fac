"""Accuracy, speed and memory against other programs, on the same folder of labeled photos.

    make bench-against_peers ARGS="--photos FOLDER"

FOLDER has a folder for each expression (angry, disgust, fear, happy, sad, surprise, neutral), as
--data of a training. Without one the portraits of MIEN_TEST_FACES are used, neutral and smiling.
Each program has a virtual environment in var/bench/peers, made on first use, and one core. The
largest face counts; no face counts as wrong. What can't be installed here, or can't load its
weights, is named and left out: several download them when they start.
"""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.peers import PROGRAMS
from recognition.engine.emotions import EMOTIONS

ROOT = Path(__file__).parents[1]
ENVIRONMENTS = ROOT / "var" / "bench" / "peers"
PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}

NEEDS: dict[str, list[str]] = {
    "fer": [
        "fer==25.10.3 --no-deps",
        # OpenCV 5 has no Haar cascades, setuptools 81 no pkg_resources.
        "tensorflow-cpu==2.20.0 opencv-contrib-python==4.12.0.88 setuptools==79.0.1",
        "requests pillow pandas matplotlib tqdm",
    ],
    "deepface": ["deepface==0.0.103 tensorflow-cpu==2.20.0 tf-keras opencv-python-headless<5"],
    "py-feat": ["py-feat==2.1.5"],
    "libreface": ["libreface==0.2.0"],
    "emotiefflib": ["emotiefflib==1.1.1 opencv-python-headless<5"],
}
"""What pip installs for each, one call after the other."""


@dataclass
class Score:
    """One program's answers: labels [n] and what it said [n], -1 for no face."""

    name: str
    said: list[int] = field(default_factory=list)
    seconds: float = 0.0
    memory: int = 0

    def row(self, labels: np.ndarray) -> str:
        said = np.array(self.said)
        right = said == labels
        recalls = [right[labels == label].mean() for label in np.unique(labels)]
        return (
            f"| {self.name} | {right.mean():.1%} | {np.mean(recalls):.1%} | {(said < 0).sum()} "
            f"| {len(said) / self.seconds:.1f} | {self.memory} |"
        )


def labeled_photos(folder: Path | None) -> list[tuple[Path, int]]:
    """Photos and their labels as places in EMOTIONS; empty if there are none."""
    if folder is not None:
        return [
            (path, EMOTIONS.index(emotion))
            for emotion in EMOTIONS
            for path in sorted((folder / emotion).rglob("*"))
            if path.suffix.lower() in PICTURES
        ]
    faces = Path(os.environ.get("MIEN_TEST_FACES", ROOT.parent / "shared" / "faces"))
    kinds = {"neutral": "neutral", "smiling": "happy"}
    return [
        (path, EMOTIONS.index(emotion))
        for kind, emotion in kinds.items()
        for path in sorted(faces.glob(f"{kind}_*.jpg"))
    ]


def python_of(name: str) -> Path | str:
    """The Python that has this program, or why there is none."""
    if name == "mien":
        return Path(sys.executable)
    folder = ENVIRONMENTS / name
    python, ready = folder / "bin" / "python", folder / "ready"
    if ready.exists():
        return python
    print(f"Installing {name} in a separate environment; this takes some minutes ...", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    for packages in NEEDS[name]:
        command = [str(python), "-m", "pip", "install", "--quiet", *packages.split()]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if "ERROR" in line]
            return f"can't be installed here: {errors[-1] if errors else done.stderr[-200:]}"
    ready.touch()
    return python


def ask(name: str, photos: list[tuple[Path, int]], core: int) -> Score | str:
    """A program's answers to all photos, or why it has none."""
    python = python_of(name)
    if isinstance(python, str):
        return python
    script = Path(__file__).with_name("peers.py")
    process = subprocess.Popen(
        ["taskset", "-c", str(core), str(python), str(script), name],
        env=os.environ | {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    if (first := process.stdout.readline().strip()) != "ready":
        return f"can't start: {first or 'it ended without a word'}"
    score = Score(name)
    for number, (path, _label) in enumerate([photos[0], *photos]):  # the first one warms up
        print(path, file=process.stdin, flush=True)
        line = process.stdout.readline()
        if not line:
            return f"ended at {path.name}"
        emotion, seconds = json.loads(line)
        if number:
            score.said.append(EMOTIONS.index(emotion) if emotion in EMOTIONS else -1)
            score.seconds += seconds
    process.stdin.close()
    score.memory = json.loads(process.stdout.readline())
    process.wait()
    return score


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, help="folder with a folder for each expression")
    parser.add_argument("--only", nargs="+", choices=list(PROGRAMS), default=list(PROGRAMS))
    options = parser.parse_args()
    photos = labeled_photos(options.photos)
    if not photos:
        print("skipped: no labeled photos; name a folder with --photos")
        return 0
    labels, core = np.array([label for _path, label in photos]), max(os.sched_getaffinity(0))
    rows, missing = [], []
    for name in options.only:
        found = ask(name, photos, core)
        if isinstance(found, str):
            missing.append(f"{name} {found}")
        else:
            rows.append(found.row(labels))
    shown = ", ".join(EMOTIONS[label] for label in np.unique(labels))
    print(f"{len(photos)} photos ({shown}), one core each")
    print("| program | accuracy | mean recall | no face | photos/s | MB |")
    print("| --- | --- | --- | --- | --- | --- |")
    print("\n".join([*rows, *missing]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
