"""The command line: python -m recognition.engine FILE|FOLDER|-... [--json | --csv] [--fps N]"""

import argparse
import csv
import io
import json
import multiprocessing
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from tqdm import tqdm

from . import video
from .covers import COVERED
from .emotions import EMOTIONS
from .errors import ModelError
from .formats import EXTENSIONS
from .lines import STANDARD_INPUT, Line, list_lines, open_networks, read_lines
from .measures import MEASURES
from .types import DETAILS, DETECTORS, FACE_MODES

COLUMNS = (
    *("file", "photo_width", "photo_height", "frame", "time", "face", "track"),
    *("x", "y", "width", "height", "score"),
    *("whole_picture", "emotion", "probability", *EMOTIONS, *MEASURES, "covered", "error"),
)


def main(arguments: list[str] | None = None) -> int:
    """Print what each photo and each sampled frame of a video shows, in the order given.

    Returns 0 if all could be read, 1 if any failed.
    """
    options = _parse(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal may be unable to show a file's name
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        open_networks(options.min_face, options.detector or "balanced")
    except ModelError as error:
        print(error.message, file=sys.stderr)
        return 2
    names = list(_names(options.photos))
    if not names:
        print("No photos or videos were found in these folders.", file=sys.stderr)
        return 1
    kept = ("min_face", "faces", "detail", "detector", "fps", "start", "end", "animations")
    read = partial(read_lines, **{key: getattr(options, key) for key in kept})
    bar = tqdm(total=len(names), unit="file", disable=not sys.stderr.isatty() or len(names) < 2)
    table = csv.writer(sys.stdout, lineterminator="\n") if options.csv else None
    if table:
        table.writerow(COLUMNS)
    failed, previous = False, names[0]
    for line in _read_all(read, names, options.jobs):
        bar.update(line["file"] != previous)
        previous = line["file"]
        failed = failed or line["error"] is not None
        with bar.external_write_mode(sys.stdout):
            if table:
                table.writerows(_rows(line))
                sys.stdout.flush()
            else:
                print(json.dumps(line) if options.json else _describe(line), flush=True)
    bar.close()
    return 1 if failed else 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m recognition.engine",
        description="Find every face in photos and videos and read its expression.",
    )
    parser.add_argument(
        "photos",
        nargs="+",
        metavar="FILE",
        help="a photo, a video, a folder (searched with its subfolders), or - for a photo on "
        "standard input",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print a JSON object per photo or frame")
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
        help="high: search large photos at full size, and videos, for small faces",
    )
    parser.add_argument(
        "--detector",
        choices=DETECTORS,
        help="fast, balanced (masked and turned faces too), or thorough (slowest); default: "
        "balanced for photos, fast for videos",
    )
    parser.add_argument(
        "--fps",
        type=_frame_rate,
        default=5.0,
        metavar="N",
        help="frames of a video to read a second, 0.2 or more, or all (default: 5)",
    )
    parser.add_argument("--start", type=_seconds, default=0.0, metavar="S", help="seconds")
    parser.add_argument("--end", type=_seconds, default=None, metavar="S", help="seconds")
    parser.add_argument(
        "--animations", action="store_true", help="read GIF, WebP and AVIF as videos"
    )
    parser.add_argument(
        "--min-face",
        type=_face_size,
        metavar="N",
        help="smallest face in pixels, after the photo is scaled down to 1280 pixels (default: 32 "
        "with --detector fast, else 24)",
    )
    parser.add_argument(
        "--jobs", type=_job_count, default=1, metavar="N", help="processes to use (default: 1)"
    )
    return parser.parse_args(arguments)


def _face_size(text: str) -> int:
    return _whole_number(text, 12, 1280)


def _job_count(text: str) -> int:
    return _whole_number(text, 1, 64)


def _frame_rate(text: str) -> float | None:
    if text == "all":
        return None
    rate = _seconds(text)
    if rate < 0.2:
        raise argparse.ArgumentTypeError("must be 0.2 or more, or all")
    return rate


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 on")
    return value


def _whole_number(text: str, low: int, high: int) -> int:
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
    return int(text)


def _names(given: list[str]) -> Iterator[str]:
    """The files to read: folders are walked in the order of their paths, files told by name."""
    for name in given:
        folder = Path(name)
        if name == STANDARD_INPUT or not folder.is_dir():
            yield name
            continue
        for path in sorted(folder.rglob("*")):
            known = path.suffix.lower() in {*EXTENSIONS, *video.EXTENSIONS}
            if known and path.is_file():
                yield str(path)


def _read_all(read: "partial[Iterator[Line]]", names: list[str], jobs: int) -> Iterator[Line]:
    """The lines of each file, in order."""
    if jobs == 1 or len(names) == 1:
        for name in names:
            yield from read(name)
        return
    # Forked children would inherit locks that the networks' threads may hold, and wait forever.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(names)), mp_context=fresh) as pool:
        for lines in pool.map(partial(list_lines, read), names):
            yield from lines


def _rows(line: Line) -> Iterator[list[object]]:
    """One row per face in the order of COLUMNS; one for a photo without any, or with an error."""
    photo = [line["file"], line["width"], line["height"], line.get("frame"), line.get("time")]
    error = line["error"]["code"] if line["error"] else ""
    if not line["faces"]:
        yield [*photo, *[""] * (len(COLUMNS) - len(photo) - 1), error]
    for number, face in enumerate(line["faces"], 1):
        emotion, probabilities = face["emotion"], face["probabilities"]
        yield [
            *(*photo, number, face.get("track")),
            *(*face["box"].values(), face["score"], face["whole_picture"]),
            *(emotion, probabilities[emotion], *probabilities.values()),
            *(face["measures"] or dict.fromkeys(MEASURES)).values(),
            *(face["covered"], error),
        ]


def _describe(line: Line) -> str:
    """The line as text for people."""
    if line["error"]:
        return f"{line['file']}: {line['error']['message']}"
    count = len(line["faces"])
    found = {0: "no faces", 1: "1 face"}.get(count, f"{count} faces")
    moment = f", {line['time']:.2f} s" if "time" in line else ""
    rows = [f"{line['file']}{moment}: {line['width']} × {line['height']} pixels, {found}"]
    for face in line["faces"]:
        box, probability = face["box"], face["probabilities"][face["emotion"]]
        place = (
            "the whole picture"
            if face["whole_picture"]
            else f"at {box['x']:.0f}, {box['y']:.0f}, "
            f"{box['width']:.0f} × {box['height']:.0f} pixels"
        )
        covered = ", partly covered" if (face["covered"] or 0) >= COVERED else ""
        rows.append(f"  {face['emotion']} ({probability:.0%}) {place}{covered}")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
