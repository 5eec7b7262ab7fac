"""The command line: python -m recognition.engine FILE|FOLDER|-... [--json | --csv] [--fps N]"""

import argparse
import csv
import io
import json
import multiprocessing
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from . import video
from .classifier import SHIPPED_INT8, SHIPPED_MODEL, EmotionClassifier
from .clips import sample_faces
from .covers import COVERED
from .detector import FaceDetector, MtcnnDetector
from .detectors import SMALLEST_FACE, open_detector
from .emotions import EMOTIONS
from .errors import MediaError, ModelError
from .examiner import Examiner
from .formats import EXTENSIONS
from .libav import READ_SIDE
from .measures import MEASURES
from .pipeline import analyze_photo
from .precision import AUTO, INT8, preferred
from .types import (
    DETAILS,
    DETECTORS,
    FACE_MODES,
    Detail,
    DetectorName,
    Face,
    FaceMode,
    ImageAnalysis,
)

Line = dict[str, Any]

STANDARD_INPUT = "-"
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
        _networks(options.min_face, options.detector or "balanced")
    except ModelError as error:
        print(error.message, file=sys.stderr)
        return 2
    names = list(_names(options.photos))
    if not names:
        print("No photos or videos were found in these folders.", file=sys.stderr)
        return 1
    kept = ("min_face", "faces", "detail", "detector", "fps", "start", "end", "animations")
    read = partial(_read, **{key: getattr(options, key) for key in kept})
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
        for lines in pool.map(partial(_list, read), names):
            yield from lines


def _list(read: "partial[Iterator[Line]]", name: str) -> list[Line]:
    return list(read(name))


@cache
def _networks(
    min_face: int | None, detector: DetectorName
) -> tuple[FaceDetector, EmotionClassifier, Examiner]:
    """This process's networks for photos. Raises ModelError."""
    mtcnn = MtcnnDetector(min_face=min_face or SMALLEST_FACE[detector])
    return open_detector(detector, mtcnn), _classifier(), Examiner(irises=True)


@cache
def _video_networks(detector: DetectorName) -> tuple[FaceDetector, EmotionClassifier, Examiner]:
    """Without a second look: videos are upright, and turned searches are slow."""
    mtcnn = MtcnnDetector(max_side=READ_SIDE, second_look=False)
    return open_detector(detector, mtcnn), _classifier(), Examiner()


def _classifier() -> EmotionClassifier:
    """The shipped one, in the numbers of MIEN_PRECISION."""
    wanted = os.environ.get("MIEN_PRECISION") or AUTO
    return EmotionClassifier(SHIPPED_INT8 if preferred(wanted) == INT8 else SHIPPED_MODEL)


def _read(
    name: str,
    min_face: int | None,
    faces: FaceMode,
    detail: Detail,
    detector: DetectorName | None,
    animations: bool,
    **sampling: Any,
) -> Iterator[Line]:
    """A line for a photo, or one for each sampled frame of a video, or for what is wrong."""
    try:
        if name != STANDARD_INPUT and _is_video(Path(name), animations):
            yield from _read_video(name, detail, detector or "fast", **sampling)
            return
        source = sys.stdin.buffer.read() if name == STANDARD_INPUT else Path(name)
        looking, classifier, examiner = _networks(min_face, detector or "balanced")
        found = analyze_photo(
            source, looking, classifier, faces=faces, detail=detail, examiner=examiner
        )
        yield _line(name, found, None)
    except MediaError as error:
        yield _line(name, None, {"code": error.code, "message": error.message})
    except Exception as error:  # one bad file must not stop the rest
        message = f"The file could not be read: {error!r}"
        yield _line(name, None, {"code": "unexpected", "message": message})


def _is_video(path: Path, animations: bool) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(video.HEAD_BYTES)
    container = video.sniff(head)
    return container is not None and (animations or container not in video.ANIMATIONS)


def _read_video(
    name: str, detail: Detail, detector: DetectorName, **sampling: Any
) -> Iterator[Line]:
    path = Path(name)
    header = video.inspect_video(path)
    networks = _video_networks(detector)
    for sample in sample_faces(path, header, *networks, detail=detail, **sampling):
        faces = [
            {
                "track": tracked.track,
                **_face(tracked.face),
                "smoothed": _rounded(dict(zip(EMOTIONS, tracked.smoothed, strict=True)), 6),
            }
            for tracked in sample.faces
        ]
        yield {
            "file": name,
            "width": header.width,
            "height": header.height,
            "frame": sample.number,
            "time": round(sample.time, 4),
            "cut": sample.cut,
            "faces": faces,
            "error": None,
        }


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
    values = face.findings and face.findings.values
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
        "measures": values and dict(zip(MEASURES, values, strict=True)),
        "covered": face.findings and round(face.findings.covered, 3),
    }


def _rounded(values: dict[str, float], digits: int) -> dict[str, float]:
    return {name: round(value, digits) for name, value in values.items()}


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
