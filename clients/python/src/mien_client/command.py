"""The command `mien`."""

import argparse
import csv
import io
import json
import logging
import math
import os
import sys
import time
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

from tqdm import tqdm

from mien_client.batch import PHOTOS, Outcome, Progress, analyze_in_order, photos_in
from mien_client.client import RETRY_SECONDS, Analysis, Mien, MienError
from mien_client.faces import EMOTIONS, MEASURES
from mien_client.live import stream
from mien_client.videos import VIDEOS

# What begins a formula in a spreadsheet, the full-width forms included.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
LOOK_SECONDS = 1.0
# Errors that would repeat for every photo.
HOPELESS = {"network", "bad_server", "bad_key", "not_mien", "not_set_up", "not_signed_in"}
HOPELESS |= {"not_allowed"}
EXTENSIONS = {
    "csv": "csv",
    "csv_excel": "csv",
    "xlsx": "xlsx",
    "jsonl": "jsonl",
    "parquet": "parquet",
    "mp4": "mp4",
    "zip": "zip",
}
FILTERS = {
    "emotion": "the entry's expression",
    "kind": "image, video or webcam",
    "status": "succeeded, failed, ...",
    "model_version": "number of the model version",
    "since": "first day, in UTC (2026-01-31)",
    "until": "last day, in UTC",
    "text": "in title, notes or tags",
}
Writer = Generator[None, tuple[Path, Analysis], None]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    logging.basicConfig(format="mien: %(message)s", level=logging.WARNING)
    if isinstance(sys.stdout, io.TextIOWrapper):  # it may not be able to write a file's name
        sys.stdout.reconfigure(errors="backslashreplace")
    options = parser().parse_args(arguments)
    if not options.server or not options.key:
        print("mien: set the server and a key (MIEN_SERVER, MIEN_KEY)", file=sys.stderr)
        return 2
    if options.command == "export":
        return export(options)
    if options.command == "live":
        return live(options)
    watches = options.command == "watch"
    photos = arriving(options.folder) if watches else list(photos_in(options.photos))
    # A folder may be watched for days, so photos wait until the server is back.
    patience = math.inf if watches else RETRY_SECONDS
    writer = {"json": write_json, "csv": write_csv, "table": write_table}[options.format]()
    next(writer)
    try:
        with (
            Mien(options.server, options.key, retry_seconds=patience) as mien,
            Progress(None if watches else options.resume) as progress,
        ):
            return analyze_all(mien, photos, options, writer, progress)
    except MienError as error:
        print(f"mien: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 0 if watches else 130
    except BrokenPipeError:  # the reader of the output has stopped
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def analyze_all(
    mien: Mien,
    photos: Iterable[Path],
    options: argparse.Namespace,
    writer: Writer,
    progress: Progress,
) -> int:
    """Analyze the photos, several at once, and print the results in order; the exit status.

    Raises MienError for errors that would repeat for the other photos.
    """

    def analyze(path: Path) -> Analysis:
        if known := progress.get(path):
            return known
        if path.suffix.lower() in VIDEOS:
            sampling = {"fps": options.fps, "start": options.start or 0, "end": options.end}
            detector = options.detector or "fast"
            sampling |= {"detail": options.detail, "keep": options.keep}
            return mien.analyze_video(path, detector=detector, **sampling)
        return mien.analyze(
            path,
            timeout=options.timeout,
            faces=options.faces,
            detail=options.detail,
            detector=options.detector,
            keep=options.keep,
        )

    failed = 0
    total = len(photos) if isinstance(photos, list) else None
    quiet = not sys.stderr.isatty() or total in (None, 1)
    with tqdm(total=total, unit="photo", disable=quiet) as bar:
        for path, outcome in analyze_in_order(analyze, photos, options.jobs):
            with bar.external_write_mode(sys.stderr):
                failed += not report(path, outcome, writer, progress)
            bar.update()
    return 1 if failed else 0


def report(path: Path, outcome: Outcome, writer: Writer, progress: Progress) -> bool:
    """Print a photo's result or error; whether it succeeded. Raises what is HOPELESS."""
    if isinstance(outcome, Analysis):
        progress.add(path, outcome)
        writer.send((path, outcome))
        return outcome.status == "succeeded"
    if isinstance(outcome, MienError):
        if outcome.code in HOPELESS:
            raise outcome
        problem = str(outcome)
    elif isinstance(outcome, OSError):
        problem = outcome.strerror or str(outcome)
    else:
        raise outcome
    print(f"mien: {path}: {problem}", file=sys.stderr)
    return False


def live(options: argparse.Namespace) -> int:
    """Print one JSON object per frame of a camera or a video; returns the exit status."""
    source = options.video if options.video is not None else options.camera
    try:
        for reply in stream(options.server, options.key, source, rate=options.rate):
            print(json.dumps(reply), flush=True)
    except MienError as error:
        print(f"mien: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    words = "Read facial expressions in photos and videos."
    top = argparse.ArgumentParser(prog="mien", description=words)
    server, key = (os.environ.get(name) for name in ("MIEN_SERVER", "MIEN_KEY"))
    top.add_argument("--server", default=server, help="its address (default: MIEN_SERVER)")
    top.add_argument("--key", default=key, help="your API key (default: MIEN_KEY)")
    commands = top.add_subparsers(dest="command", required=True)
    analyze = commands.add_parser("analyze", help="analyze photos and videos")
    analyze.add_argument(
        "photos", nargs="+", type=Path, metavar="FILE", help="a photo or video, or a folder of them"
    )
    analyze.add_argument(
        "--jobs", type=int, choices=range(1, 33), default=4, metavar="N", help="photos at once (4)"
    )
    analyze.add_argument(
        "--resume", type=Path, metavar="FILE", help="note finished photos here, and skip them"
    )
    analyze.add_argument(
        "--fps", type=frame_rate, default=5.0, metavar="N", help="of videos: a number, or all (5)"
    )
    for name in ("start", "end"):
        analyze.add_argument(f"--{name}", type=float, metavar="S", help="of videos, in seconds")
    watch = commands.add_parser("watch", help="analyze every photo that is added to a folder")
    watch.add_argument("folder", type=Path)
    watch.set_defaults(jobs=1, fps=5.0, start=None, end=None)
    camera = commands.add_parser("live", help="read a camera or a video, one JSON line per frame")
    source = camera.add_mutually_exclusive_group()
    source.add_argument("video", nargs="?", help="a video file")
    source.add_argument("--camera", type=int, default=0, metavar="N", help="its number (0)")
    camera.add_argument("--rate", type=float, default=10, help="frames per second (10)")
    for command in (analyze, watch):
        form = command.add_mutually_exclusive_group()
        for name, words in (("json", "a JSON object a line"), ("csv", "a row for each face")):
            form.add_argument(
                f"--{name}", dest="format", action="store_const", const=name, help=words
            )
        command.add_argument(
            "--timeout", type=float, default=300, help="seconds to wait for a photo"
        )
        command.add_argument(
            "--faces",
            choices=("auto", "detect", "whole"),
            default="auto",
            help="whole: each picture is one face",
        )
        command.add_argument(
            "--detail", choices=("normal", "high"), default="normal", help="high: find small faces"
        )
        command.add_argument(
            "--detector",
            choices=("fast", "balanced", "thorough"),
            help="how to find faces; by default as the server does",
        )
        command.add_argument(
            "--keep",
            choices=("picture", "blurred", "numbers"),
            default="picture",
            help="what the server stores: the picture, with blurred faces, or its numbers alone",
        )
        command.set_defaults(format="table")
    export = commands.add_parser("export", help="export the faces of the history")
    export.add_argument("--format", choices=tuple(EXTENSIONS), default="csv")
    export.add_argument("-o", "--output", type=Path, metavar="FILE", help="faces.FORMAT")
    export.add_argument("--timeout", type=float, default=600, help="seconds to wait in total")
    for name, words in FILTERS.items():
        export.add_argument(f"--{name.replace('_', '-')}", help=words)
    export.add_argument("--id", action="append", help="one entry; repeat for more")
    return top


def frame_rate(text: str) -> float | None:
    """Frames a second, None for all."""
    return None if text == "all" else float(text)


def export(options: argparse.Namespace) -> int:
    """Export the filtered faces to a file; returns the exit status."""
    path = options.output or Path(f"faces.{EXTENSIONS[options.format]}")
    given = {name: getattr(options, name) for name in (*FILTERS, "id")}
    filters = {name: value for name, value in given.items() if value}
    try:
        with Mien(options.server, options.key) as mien:
            state = mien.export(
                path, format=options.format, filters=filters, timeout=options.timeout
            )
    except (MienError, OSError) as error:
        print(f"mien: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 1
    what = {"mp4": "frame", "zip": "entry"}.get(options.format, "row")
    print(f"{path}: {state['rows_done']} {_many(what, state['rows_done'])}")
    return 0


def _many(word: str, count: int) -> str:
    if count == 1:
        return word
    return "entries" if word == "entry" else f"{word}s"


def arriving(folder: Path) -> Iterator[Path]:
    """Yields pictures added to a folder, each once it has stopped growing; never ends."""
    if not folder.is_dir():
        raise SystemExit(f"mien: {folder} isn't a folder")
    sizes = dict.fromkeys(pictures(folder), -1)  # existing ones are ignored
    print(f"mien: waiting for photos in {folder}; press Ctrl-C to stop", file=sys.stderr)
    while True:
        time.sleep(LOOK_SECONDS)
        for path in pictures(folder):
            if sizes.get(path) == -1:
                continue
            try:
                size = path.stat().st_size
            except FileNotFoundError:  # it was removed again
                continue
            if size and sizes.get(path) == size:
                sizes[path] = -1
                yield path
            else:
                sizes[path] = size


def pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise SystemExit(f"mien: {folder} is gone")
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PHOTOS)


def write_json() -> Writer:
    """One JSON object per line: the file and its full analysis."""
    while True:
        path, analysis = yield
        print(json.dumps({"file": str(path), **analysis.raw}), flush=True)


def write_csv() -> Writer:
    """One row per face; none for a photo without faces."""
    rows = csv.writer(sys.stdout)
    about = ["file", "analysis", "face", "x", "y", "width", "height", "score", "emotion"]
    rows.writerow([*about, *EMOTIONS, "quality", "correction", *MEASURES, "covered"])
    while True:
        path, analysis = yield
        for number, face in enumerate(analysis.faces, 1):
            box = [round(face.box[side], 1) for side in ("x", "y", "width", "height")]
            shares = [face.probabilities[emotion] for emotion in EMOTIONS]
            name, score = safe(str(path)), round(face.score, 3)
            seen = [name, analysis.id, number, *box, score, face.emotion, *shares]
            measures = [(face.measures or {}).get(name) for name in MEASURES]
            doubts = ", ".join(face.quality)
            rows.writerow([*seen, doubts, face.correction, *measures, face.covered])
        for track in analysis.tracks:  # their means; the frames are in `mien export`
            means = [track.probabilities[emotion] for emotion in EMOTIONS]
            seen = [safe(str(path)), analysis.id, track.number, *[""] * 5, track.emotion]
            rows.writerow([*seen, *means, *[""] * (3 + len(MEASURES))])
        sys.stdout.flush()


def write_table() -> Writer:
    """One line per face, for people."""
    while True:
        path, analysis = yield
        print(f"{path}: {summary(analysis)}", flush=True)
        for face in analysis.faces:
            shares = sorted(face.probabilities.items(), key=lambda pair: -pair[1])[:3]
            words = ", ".join(f"{name} {share:.0%}" for name, share in shares)
            print(f"  at {face.box['x']:.0f}, {face.box['y']:.0f}: {words}", flush=True)
        for track in analysis.tracks:
            shares = sorted(track.probabilities.items(), key=lambda pair: -pair[1])[:3]
            words = ", ".join(f"{name} {share:.0%}" for name, share in shares)
            when = f"{track.first:.1f} to {track.last:.1f} s"
            print(f"  face {track.number}, {when}: {words}", flush=True)


def summary(analysis: Analysis) -> str:
    """The outcome of a photo in words."""
    if analysis.error:
        return analysis.error["message"]
    if analysis.status != "succeeded":
        return "Canceled."
    count = len(analysis.faces) or len(analysis.tracks)
    return f"{count} face{'' if count == 1 else 's'}"


def safe(cell: str) -> str:
    """A cell that no spreadsheet evaluates as a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


if __name__ == "__main__":
    sys.exit(main())
