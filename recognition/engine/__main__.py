"""The command line: python -m recognition.engine PHOTO|FOLDER|-... [--json | --csv] [--jobs N]"""

import argparse
import csv
import io
import json
import multiprocessing
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from .classifier import EmotionClassifier
from .detector import MtcnnDetector
from .emotions import EMOTIONS
from .errors import MediaError, ModelError
from .formats import EXTENSIONS
from .pipeline import analyze_photo
from .types import DETAILS, FACE_MODES, Face, ImageAnalysis

Line = dict[str, Any]

STANDARD_INPUT = "-"
COLUMNS = (
    *("file", "photo_width", "photo_height", "face", "x", "y", "width", "height", "score"),
    *("whole_picture", "emotion", "probability", *EMOTIONS, "error"),
)


def main(arguments: list[str] | None = None) -> int:
    """Print what each photo shows, in the order given; 0 if all could be read, 1 if any failed."""
    options = _parse(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal may be unable to show a file's name
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        _networks(options.min_face)
    except ModelError as error:
        print(error.message, file=sys.stderr)
        return 2
    names = list(_names(options.photos))
    if not names:
        print("No photos were found in these folders.", file=sys.stderr)
        return 1
    read = partial(_read, **{key: getattr(options, key) for key in ("min_face", "faces", "detail")})
    bar = tqdm(total=len(names), unit="photo", disable=not sys.stderr.isatty() or len(names) < 2)
    table = csv.writer(sys.stdout, lineterminator="\n") if options.csv else None
    if table:
        table.writerow(COLUMNS)
    failed = False
    for line in _read_all(read, names, options.jobs):
        failed = failed or line["error"] is not None
        with bar.external_write_mode(sys.stdout):
            if table:
                table.writerows(_rows(line))
                sys.stdout.flush()
            else:
                print(json.dumps(line) if options.json else _describe(line), flush=True)
        bar.update()
    bar.close()
    return 1 if failed else 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m recognition.engine",
        description="Find every face in photos and read its expression.",
    )
    parser.add_argument(
        "photos",
        nargs="+",
        metavar="PHOTO",
        help="a photo, a folder (searched with its subfolders), or - for a photo on standard input",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object per photo")
    form.add_argument("--csv", action="store_true", help="print a table with one row per face")
    parser.add_argument(
        "--faces",
        choices=FACE_MODES,
        default="auto",
        help="whole: the picture is a face crop; detect: never take it for one (default: auto, "
        "small pictures without a detected face are)",
    )
    parser.add_argument(
        "--detail",
        choices=DETAILS,
        default="normal",
        help="high: search large photos at full size, for small faces",
    )
    parser.add_argument(
        "--min-face",
        type=_face_size,
        default=32,
        metavar="N",
        help="smallest face in pixels, after the photo is scaled down to 1280 pixels (default: 32)",
    )
    parser.add_argument(
        "--jobs", type=_job_count, default=1, metavar="N", help="processes to use (default: 1)"
    )
    return parser.parse_args(arguments)


def _face_size(text: str) -> int:
    return _whole_number(text, 12, 1280)


def _job_count(text: str) -> int:
    return _whole_number(text, 1, 64)


def _whole_number(text: str, low: int, high: int) -> int:
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
    return int(text)


def _names(given: list[str]) -> Iterator[str]:
    """The files to read: folders are walked in the order of their paths, for photos by name."""
    for name in given:
        folder = Path(name)
        if name == STANDARD_INPUT or not folder.is_dir():
            yield name
            continue
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in EXTENSIONS and path.is_file():
                yield str(path)


def _read_all(read: "partial[Line]", names: list[str], jobs: int) -> Iterator[Line]:
    """A line for each file, in order."""
    if jobs == 1 or len(names) == 1:
        yield from map(read, names)
        return
    # Forked children would inherit locks that the networks' threads may hold, and wait forever.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(names)), mp_context=fresh) as pool:
        yield from pool.map(read, names)


@cache
def _networks(min_face: int) -> tuple[MtcnnDetector, EmotionClassifier]:
    """This process's networks. Raises ModelError."""
    return MtcnnDetector(min_face=min_face), EmotionClassifier()


def _read(name: str, min_face: int, **options: Any) -> Line:
    try:
        source = sys.stdin.buffer.read() if name == STANDARD_INPUT else Path(name)
        analysis = analyze_photo(source, *_networks(min_face), **options)
    except MediaError as error:
        return _line(name, None, {"code": error.code, "message": error.message})
    except Exception as error:  # one bad photo must not stop the rest
        message = f"The photo could not be read: {error!r}"
        return _line(name, None, {"code": "unexpected", "message": message})
    return _line(name, analysis, None)


def _line(name: str, analysis: ImageAnalysis | None, error: dict[str, str] | None) -> Line:
    return {
        "file": name,
        "width": analysis.width if analysis else None,
        "height": analysis.height if analysis else None,
        "faces": [_face(face) for face in analysis.faces] if analysis else [],
        "milliseconds": _rounded(analysis.milliseconds, 2) if analysis else None,
        "error": error,
    }


def _face(face: Face) -> Line:
    box, marks = face.detection.box, face.detection.landmarks
    return {
        "box": _rounded({side: getattr(box, side) for side in box.__slots__}, 2),
        "score": round(face.detection.score, 4),
        "landmarks": {
            name: [round(value, 2) for value in getattr(marks, name)] for name in marks.__slots__
        },
        "probabilities": _rounded(
            dict(zip(EMOTIONS, face.prediction.probabilities, strict=True)), 6
        ),
        "emotion": face.prediction.emotion,
        "whole_picture": face.whole_picture,
    }


def _rounded(values: dict[str, float], digits: int) -> dict[str, float]:
    return {name: round(value, digits) for name, value in values.items()}


def _rows(line: Line) -> Iterator[list[object]]:
    """One row per face in the order of COLUMNS; one for a photo without any, or with an error."""
    photo = [line["file"], line["width"], line["height"]]
    error = line["error"]["code"] if line["error"] else ""
    if not line["faces"]:
        yield [*photo, *[""] * (len(COLUMNS) - len(photo) - 1), error]
    for number, face in enumerate(line["faces"], 1):
        emotion, probabilities = face["emotion"], face["probabilities"]
        yield [
            *(*photo, number, *face["box"].values(), face["score"], face["whole_picture"]),
            *(emotion, probabilities[emotion], *probabilities.values(), error),
        ]


def _describe(line: Line) -> str:
    """The line as text for people."""
    if line["error"]:
        return f"{line['file']}: {line['error']['message']}"
    count = len(line["faces"])
    found = {0: "no faces", 1: "1 face"}.get(count, f"{count} faces")
    rows = [f"{line['file']}: {line['width']} × {line['height']} pixels, {found}"]
    for face in line["faces"]:
        box, probability = face["box"], face["probabilities"][face["emotion"]]
        place = (
            "the whole picture"
            if face["whole_picture"]
            else f"at {box['x']:.0f}, {box['y']:.0f}, "
            f"{box['width']:.0f} × {box['height']:.0f} pixels"
        )
        rows.append(f"  {face['emotion']} ({probability:.0%}) {place}")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
