"""How the engine reads one clear smile as the photo gets worse, and where it fails.

    make bench-failures ARGS="--output docs/images/failures.jpg"

The photo is scikit-image's portrait of an astronaut, which is in the public domain. It is turned,
covered, darkened, blurred, shrunk, and analyzed by the whole engine; `--output` writes the picture
of the model card.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from PIL import Image, ImageDraw, ImageFont

from recognition.engine.classifier import SHIPPED_MODEL, EmotionClassifier
from recognition.engine.detectors import open_detector
from recognition.engine.pipeline import analyze_image
from recognition.engine.types import Landmarks

RIGHT = "happy"
COLUMNS, SIDE, LINE = 5, 200, 20
PAPER, INK, GOOD, BAD = "#ffffff", "#1f2430", "#1b7a3d", "#b3261e"

Photo = np.ndarray


def make_variants(portrait: Photo, marks: Landmarks) -> dict[str, Photo]:
    """Every variant of the portrait, uint8 [side, side, 3] with its landmarks, by name."""
    random = np.random.default_rng(0)
    across = np.linspace(0.02, 1, portrait.shape[1])[:, np.newaxis]
    noise = random.normal(0, 45, portrait.shape)
    return {
        "as it is": portrait,
        "turned by 45°": turn(portrait, 45),
        "squeezed to half": cv2.resize(portrait, None, fx=0.5, fy=1),
        "sheared": shear(portrait, 0.45),
        "light from one side": (portrait * across**1.5).astype(np.uint8),
        "mouth covered": cover_mouth(portrait, marks),
        "dark glasses": cover_eyes(portrait, marks),
        "glasses and mask": cover_mouth(cover_eyes(portrait, marks), marks),
        "half of it covered": cover_half(portrait, marks),
        "very dark": (portrait * 0.08).astype(np.uint8),
        "out of focus": cv2.GaussianBlur(portrait, (0, 0), 6),
        "far out of focus": cv2.GaussianBlur(portrait, (0, 0), 9),
        "dark and noisy": np.clip(portrait * 0.3 + noise, 0, 255).astype(np.uint8),
        "90 pixels wide": shrink(portrait, 90),
        "60 pixels wide": shrink(portrait, 60),
    }


def turn(photo: Photo, degrees: float) -> Photo:
    side = photo.shape[0]
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), degrees, 1)
    return cv2.warpAffine(photo, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)


def shear(photo: Photo, by: float) -> Photo:
    side = photo.shape[0]
    matrix = np.array([[1, by, -by * side / 2], [0, 1, 0]])
    return cv2.warpAffine(photo, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)


def shrink(photo: Photo, side: int) -> Photo:
    return cv2.resize(photo, (side, side), interpolation=cv2.INTER_AREA)


def cover_mouth(photo: Photo, marks: Landmarks) -> Photo:
    """A mask from the nose over the chin."""
    eyes = np.subtract(marks.right_eye, marks.left_eye)[0]
    left, right = marks.mouth_left[0] - 0.55 * eyes, marks.mouth_right[0] + 0.55 * eyes
    low = marks.mouth_left[1] + 0.9 * eyes
    corners = [(left, marks.nose[1]), (right, marks.nose[1])]
    corners += [(right - 0.3 * eyes, low), (left + 0.3 * eyes, low)]
    covered = photo.copy()
    cv2.fillPoly(covered, [np.array(corners, np.int32)], (176, 202, 214), cv2.LINE_AA)
    return covered


def cover_eyes(photo: Photo, marks: Landmarks) -> Photo:
    covered = photo.copy()
    eyes = np.subtract(marks.right_eye, marks.left_eye)[0]
    middles = [tuple(int(value) for value in eye) for eye in (marks.left_eye, marks.right_eye)]
    for middle in middles:
        axes = (int(0.42 * eyes), int(0.34 * eyes))
        cv2.ellipse(covered, middle, axes, 0, 0, 360, (18, 18, 20), -1, cv2.LINE_AA)
    cv2.line(covered, *middles, (18, 18, 20), max(2, int(0.08 * eyes)), cv2.LINE_AA)
    return covered


def cover_half(photo: Photo, marks: Landmarks) -> Photo:
    covered = photo.copy()
    covered[:, : int(marks.nose[0])] = (92, 84, 78)
    return covered


def draw_sheet(cells: list[tuple[str, Photo, str]]) -> Image.Image:
    """Every photo with its name above and the engine's result below."""
    rows = -(-len(cells) // COLUMNS)
    high = SIDE + 2 * LINE + 12
    sheet = Image.new("RGB", (COLUMNS * (SIDE + 8) + 8, rows * high + 8), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=15)
    for index, (name, photo, answer) in enumerate(cells):
        left, top = 8 + index % COLUMNS * (SIDE + 8), 8 + index // COLUMNS * high
        picture = Image.fromarray(photo)
        picture.thumbnail((SIDE, SIDE))
        if max(picture.size) < SIDE:
            picture = picture.resize((SIDE, SIDE), Image.Resampling.NEAREST)
        place = left + (SIDE - picture.width) // 2, top + LINE
        sheet.paste(picture, place)
        color = GOOD if answer.startswith(RIGHT) else BAD
        middle = left + SIDE // 2
        draw.text((middle, top), name, INK, font, anchor="ma")
        draw.text((middle, top + LINE + SIDE + 3), answer, color, font, anchor="ma")
    return sheet


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=SHIPPED_MODEL)
    parser.add_argument("--output", type=Path, help="a JPEG for the picture")
    options = parser.parse_args()
    detector, classifier = open_detector(), EmotionClassifier(options.model)
    portrait = np.ascontiguousarray(skimage.data.astronaut()[0:240, 105:345])
    found = detector.detect(portrait)
    cells = []
    for name, photo in make_variants(portrait, found[0].landmarks).items():
        answer = read(photo, lambda rgb: analyze_image(rgb, detector, classifier))
        print(f"{name:20} {answer}")
        cells.append((name, photo, answer))
    if options.output is not None:
        draw_sheet(cells).save(options.output, quality=82, optimize=True)
        print(f"wrote {options.output}, {options.output.stat().st_size // 1024} KiB")
    return 0


def read(photo: Photo, analyze: Callable) -> str:
    """The engine's result for the largest face, in words."""
    faces = analyze(np.ascontiguousarray(photo)).faces
    if not faces:
        return "no face found"
    prediction = faces[0].prediction
    return f"{prediction.emotion} {100 * prediction.probability:.0f} %"


if __name__ == "__main__":
    sys.exit(main())
