"""Which faces each detector finds: plain, covered, tilted, turned, in groups, 24 to 200 pixels.

    make bench-found_faces

Portraits of MIEN_TEST_FACES (by default shared/faces beside the repository) and scikit-image's
astronaut get masks, scarves, sunglasses and hands drawn along their landmarks, and are pasted into
scikit-image's pictures without faces, where every hit elsewhere is a false one. Prints the share
found, false hits, and milliseconds for a 640-pixel photo on one thread.
"""

import argparse
import math
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image

from recognition.engine.detector import FaceDetector, MtcnnDetector
from recognition.engine.detectors import open_detector
from recognition.engine.types import DETECTORS, BoundingBox, Landmarks

Pixels = NDArray[np.uint8]

WIDTH, HEIGHT = 640, 480
SIZES = (24, 32, 48, 80, 120, 200)
"""Widths of faces in pixels."""

FOLDER = Path(os.environ.get("MIEN_TEST_FACES", Path(__file__).parents[2] / "shared" / "faces"))
CLOTHS = ((190, 215, 235), (240, 240, 240), (40, 40, 45), (150, 190, 150))
COVERS = ("mask", "scarf", "sunglasses", "hand")
KINDS = ("plain", *COVERS, "tilted", "turned", "group")
FACELESS = (
    *("brick", "cell", "chelsea", "clock_motion", "coffee", "grass", "gravel", "horse"),
    *("hubble_deep_field", "ihc", "microaneurysms", "moon", "motorcycle_left", "page"),
    *("phantom", "retina", "rocket", "text", "color", "logo"),
)
"""scikit-image's pictures without a face; its coins show heads."""

GOALS = {"plain": 0.99, "mask": 0.93}
"""What the balanced detector must find."""


@dataclass(frozen=True)
class Portrait:
    """A head with its face: `box` and `marks` in its pixels."""

    rgb: Pixels
    box: BoundingBox
    marks: Landmarks


@dataclass(frozen=True)
class Scene:
    """A picture and the faces in it: center x, y and width of each, in pixels."""

    kind: str
    size: int
    rgb: Pixels
    faces: list[tuple[float, float, float]]


def portraits() -> list[Portrait]:
    """Every portrait at about 800 pixels, cut so that the head fills it."""
    files = sorted(FOLDER.glob("*.jpg"))
    pictures = [np.asarray(Image.open(path).convert("RGB")) for path in files]
    pictures.append(np.asarray(Image.fromarray(skimage.data.astronaut()).resize((1350, 1350))))
    detector, found = MtcnnDetector(second_look=False), []
    for rgb in pictures:
        face = detector.detect(rgb)[0]
        box, marks = face.box, face.landmarks
        left, top = max(0, int(box.x - 0.45 * box.width)), max(0, int(box.y - 0.5 * box.height))
        right, bottom = int(box.x + 1.45 * box.width), int(box.y + 1.3 * box.height)
        head = rgb[top:bottom, left:right]
        points = (
            (x - left, y - top) for x, y in (getattr(marks, name) for name in marks.__slots__)
        )
        moved = BoundingBox(box.x - left, box.y - top, box.width, box.height)
        found.append(Portrait(head, moved, Landmarks(*points)))
    return found


def cover(portrait: Portrait, kind: str, random: np.random.Generator) -> Pixels:
    """The portrait with something in front of its face."""
    rgb = portrait.rgb.copy()
    marks = portrait.marks
    eyes = np.array([marks.left_eye, marks.right_eye])
    across = eyes[1] - eyes[0]
    down = np.array([-across[1], across[0]])
    center, nose = eyes.mean(axis=0), np.array(marks.nose)
    mouth = (np.array(marks.mouth_left) + np.array(marks.mouth_right)) / 2
    reach = float(np.linalg.norm(mouth - center) / np.linalg.norm(across))

    def at(x: float, y: float) -> list[int]:
        """A place in eye distances to the right and below the point between the eyes."""
        return [round(value) for value in center + x * across + y * down]

    layer = rgb.copy()
    if kind == "mask":
        color = CLOTHS[random.integers(len(CLOTHS))]
        shape = [(-1.0, 0.35), (-0.4, 0.4), (0, 0.28), (0.4, 0.4), (1.0, 0.35), (0.95, reach)]
        shape += [(0.55, reach + 0.65), (0, reach + 0.8), (-0.55, reach + 0.65), (-0.95, reach)]
        cv2.fillPoly(layer, [np.array([at(*place) for place in shape])], color)
        for fold in (0.25, 0.45, 0.65):
            y = 0.35 + fold * (reach + 0.3)
            cv2.line(layer, at(-0.8, y), at(0.8, y), [int(0.85 * value) for value in color], 3)
    elif kind == "scarf":
        color = random.integers(30, 220, 3).tolist()
        shape = [(-1.3, 0.5), (0, 0.42), (1.3, 0.5), (1.5, reach + 1.4), (-1.5, reach + 1.4)]
        cv2.fillPoly(layer, [np.array([at(*place) for place in shape])], color)
        for stripe in np.arange(0.6, reach + 1.3, 0.18):
            darker = [int(value * random.uniform(0.6, 1.0)) for value in color]
            cv2.line(layer, at(-1.4, stripe), at(1.4, stripe + 0.15), darker, 9)
    elif kind == "sunglasses":
        radius = 0.36 * float(np.linalg.norm(across))
        angle = math.degrees(math.atan2(across[1], across[0]))
        for side in (-0.5, 0.5):
            axes = (round(radius * 1.2), round(radius))
            cv2.ellipse(layer, at(side, 0.06), axes, angle, 0, 360, (25, 25, 28), -1)
        cv2.line(layer, at(-1.1, -0.06), at(1.1, -0.06), (25, 25, 28), 8)
    elif kind == "hand":
        x, y = nose.astype(int)
        skin = np.median(rgb[y - 9 : y + 9, x - 9 : x + 9], axis=(0, 1))
        place = [(0.0, reach), (-0.55, 0.15), (0.6, reach * 0.8)][random.integers(3)]
        side = 1 if place[0] <= 0 else -1
        for finger in range(4):
            tone = [int(value * (0.92 - 0.05 * finger)) for value in skin]
            start = place[0] - side * 0.6, place[1] + 0.2 * finger - 0.3
            end = place[0] + side * 1.6, place[1] + 0.26 * finger
            cv2.line(layer, at(*start), at(*end), tone, round(0.2 * float(np.linalg.norm(across))))
    soft = cv2.GaussianBlur(layer, (0, 0), 1.5)
    return np.asarray(np.where((layer == rgb).all(axis=2, keepdims=True), rgb, soft), np.uint8)


def backgrounds() -> list[Pixels]:
    """scikit-image's pictures without a face, and their quarters, all at 640×480."""
    found = []
    for name in FACELESS:
        folder = Path(skimage.data.__file__).parent
        path = next(folder.glob(f"{name}.*"))
        rgb = np.asarray(Image.open(path).convert("RGB"))
        height, width = rgb.shape[:2]
        parts = [rgb, rgb[: height // 2, : width // 2], rgb[height // 2 :, : width // 2]]
        parts += [rgb[: height // 2, width // 2 :], rgb[height // 2 :, width // 2 :]]
        for part in parts:
            found.append(np.asarray(Image.fromarray(part).resize((WIDTH, HEIGHT))))
    return found


def paste(
    scene: Pixels,
    head: Pixels,
    portrait: Portrait,
    size: float,
    place: tuple[float, float],
    tilt: float,
) -> None:
    """Draw a head into the scene with its face `size` pixels wide, its center at `place`."""
    box = portrait.box
    scale = size / box.width
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    shrunk = cv2.resize(head, None, fx=scale, fy=scale, interpolation=how)
    height, width = shrunk.shape[:2]
    middle = ((box.x + box.width / 2) * scale, (box.y + box.height / 2) * scale)
    matrix = cv2.getRotationMatrix2D(middle, tilt, 1)
    matrix[:, 2] += np.array(place) - middle
    y, x = np.mgrid[:height, :width]
    away = ((x - width / 2) / (width / 2)) ** 2 + ((y - height / 2) / (height / 2)) ** 2
    alpha = np.clip((1.0 - away) * 5, 0, 1).astype(np.float32)
    shape = (scene.shape[1], scene.shape[0])
    head_there = cv2.warpAffine(shrunk, matrix, shape, flags=cv2.INTER_LINEAR)
    alpha_there = cv2.warpAffine(alpha, matrix, shape)[..., None]
    scene[:] = (scene * (1 - alpha_there) + head_there * alpha_there).astype(np.uint8)


def scenes(people: list[Portrait], fields: list[Pixels]) -> Iterator[Scene]:
    """Every portrait in every kind and size, a few together where they fit."""
    random = np.random.default_rng(0)

    def compose(kind: str, size: int, group: list[Portrait], tilt: float = 0.0) -> Scene:
        rgb = fields[random.integers(len(fields))].copy()
        columns = max(1, min(len(group), int(WIDTH // (size * 1.9))))
        rows = math.ceil(len(group) / columns)
        faces = []
        for index, person in enumerate(group):
            head = cover(person, kind, random) if kind in COVERS else person.rgb
            x, y = (
                (number + 0.5) * side + float(random.uniform(-1, 1)) * max(0.0, side - need) / 2
                for number, side, need in (
                    (index % columns, WIDTH / columns, 1.9 * size),
                    (index // columns, HEIGHT / rows, 2.3 * size),
                )
            )
            place = x, y
            paste(rgb, head, person, size, place, tilt)
            faces.append((*place, float(size)))
        return Scene(kind, size, rgb, faces)

    for kind in ("plain", *COVERS):
        for size in SIZES:
            together = 1 if size == 200 else 2 if size == 120 else 4
            for start in range(0, len(people), together):
                yield compose(kind, size, people[start : start + together])
    for tilt in (-45, -30, 30, 45):
        for start in range(0, len(people), 2):
            yield compose("tilted", 80, people[start : start + 2], tilt)
    for turns, person in enumerate(people):
        scene = compose("turned", 120, [person])
        yield _turn(scene, turns % 3 + 1)
    for size in (40, 60):
        for start in range(0, len(people), 8):
            yield compose("group", size, people[start : start + 8])


def _turn(scene: Scene, turns: int) -> Scene:
    faces = []
    for x, y, size in scene.faces:
        height, width = HEIGHT, WIDTH
        for _ in range(turns):
            x, y, width, height = y, width - x, height, width
        faces.append((x, y, size))
    return Scene(scene.kind, scene.size, np.ascontiguousarray(np.rot90(scene.rgb, turns)), faces)


def matches(box: BoundingBox, face: tuple[float, float, float]) -> bool:
    """Whether a box is this face: its center within half a width, its size within a factor of 2."""
    x, y, size = face
    middle = box.x + box.width / 2 - x, box.y + box.height / 2 - y
    side = math.sqrt(box.width * box.height)
    return max(map(abs, middle)) < 0.5 * size and 0.5 < side / (1.15 * size) < 2


def judge(
    detector: FaceDetector, made: list[Scene], fields: list[Pixels]
) -> dict[str, tuple[int, int]]:
    """Faces found and faces shown by kind and by size; false hits and pictures under "false"."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for scene in made:
        boxes = [face.box for face in detector.detect(scene.rgb)]
        for face in scene.faces:
            hit = any(matches(box, face) for box in boxes)
            for key in (scene.kind, f"{scene.kind} {scene.size}"):
                counts[key][0] += hit
                counts[key][1] += 1
        counts["elsewhere"][0] += sum(not any(matches(b, f) for f in scene.faces) for b in boxes)
        counts["elsewhere"][1] += 1
    for field in fields:
        counts["false"][0] += len(detector.detect(field))
        counts["false"][1] += 1
    return {key: (found, of) for key, (found, of) in counts.items()}


def milliseconds(detector: FaceDetector, rgb: Pixels, rounds: int) -> float:
    """Median time of a search."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        detector.detect(rgb)
        times.append(1000 * (time.perf_counter() - started))
    return median(times)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detectors", nargs="+", default=DETECTORS, choices=DETECTORS)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    if not FOLDER.is_dir():
        print(f"skipped: {FOLDER} has no portraits")
        return 0
    people, fields = portraits(), backgrounds()
    made = list(scenes(people, fields))
    photo = np.asarray(Image.fromarray(skimage.data.astronaut()).resize((640, 640)))
    print(f"{len(made)} scenes with {sum(len(scene.faces) for scene in made)} faces")
    print(f"{'':10}" + "".join(f"{kind:>11}" for kind in (*KINDS, "elsewhere", "false", "ms")))
    missed = False
    for name in options.detectors:
        detector = open_detector(name)
        counts = judge(detector, made, fields)
        shares = {kind: counts[kind][0] / counts[kind][1] for kind in KINDS}
        wrong = counts["elsewhere"][0], counts["false"][0]
        cells = [f"{share:11.3f}" for share in shares.values()] + [f"{n:11}" for n in wrong]
        cells.append(f"{milliseconds(detector, photo, options.rounds):11.1f}")
        print(f"{name:10}" + "".join(cells))
        for kind in ("plain", "mask"):
            found = (f"{size}: {counts[f'{kind} {size}'][0]}" for size in SIZES)
            print(f"{'':10}{kind} by width in pixels, of {len(people)}: {', '.join(found)}")
        if name == "balanced":
            missed = any(shares[kind] < goal for kind, goal in GOALS.items()) or wrong[1] > 0
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
