"""The command line: python -m recognition.engine PHOTO... [--json] [--min-face N]"""

import argparse
import io
import json
import sys
from pathlib import Path
from typing import Any

from .classifier import EmotionClassifier
from .detector import MtcnnDetector
from .emotions import EMOTIONS
from .errors import MediaError, ModelError
from .pipeline import analyze_photo
from .types import Face, ImageAnalysis

Line = dict[str, Any]


def main(arguments: list[str] | None = None) -> int:
    """Print what each photo shows, in the order given; 0 if all could be read, 1 if any failed."""
    options = _parse(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal may be unable to show a file's name
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        detector = MtcnnDetector(min_face=options.min_face)
        classifier = EmotionClassifier()
    except ModelError as error:
        print(error.message, file=sys.stderr)
        return 2
    failed = False
    for name in options.photos:
        line = _read(name, detector, classifier)
        failed = failed or line["error"] is not None
        print(json.dumps(line) if options.json else _describe(line), flush=True)
    return 1 if failed else 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m recognition.engine",
        description="Find every face in photos and read its expression.",
    )
    parser.add_argument("photos", nargs="+", metavar="PHOTO", help="JPEG, PNG, WebP, GIF, ...")
    parser.add_argument("--json", action="store_true", help="print one JSON object per photo")
    parser.add_argument(
        "--min-face",
        type=_face_size,
        default=32,
        metavar="N",
        help="smallest face in pixels, after the photo is scaled down to 1280 pixels (default: 32)",
    )
    return parser.parse_args(arguments)


def _face_size(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 12 <= int(text) <= 1280:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 12 to 1280")
    return int(text)


def _read(name: str, detector: MtcnnDetector, classifier: EmotionClassifier) -> Line:
    try:
        analysis = analyze_photo(Path(name), detector, classifier)
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
    }


def _rounded(values: dict[str, float], digits: int) -> dict[str, float]:
    return {name: round(value, digits) for name, value in values.items()}


def _describe(line: Line) -> str:
    """The line as text for people."""
    if line["error"]:
        return f"{line['file']}: {line['error']['message']}"
    count = len(line["faces"])
    found = {0: "no faces", 1: "1 face"}.get(count, f"{count} faces")
    rows = [f"{line['file']}: {line['width']} × {line['height']} pixels, {found}"]
    for face in line["faces"]:
        box, probability = face["box"], face["probabilities"][face["emotion"]]
        rows.append(
            f"  {face['emotion']} ({probability:.0%}) at {box['x']:.0f}, {box['y']:.0f}, "
            f"{box['width']:.0f} × {box['height']:.0f} pixels"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
