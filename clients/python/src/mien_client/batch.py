"""Many photos: found in folders, sent several at once, and resumed after a break."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from mien_client.client import Analysis
from mien_client.videos import VIDEOS

PHOTOS = {
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".dib"),
    *(".heic", ".heif", ".hif", ".avif", ".tif", ".tiff", ".pgm", ".ppm", ".pbm", ".pnm"),
    *(".jp2", ".j2k", ".jpf", ".jpx"),
}

"""The usual endings of photos' names."""

Outcome = Analysis | Exception


def photos_in(paths: Iterable[Path]) -> Iterator[Path]:
    """The files as given; folders are walked in the order of their paths, files told by name."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for inner in sorted(path.rglob("*")):
            if inner.suffix.lower() in PHOTOS | VIDEOS and inner.is_file():
                yield inner


def analyze_in_order(
    analyze: Callable[[Path], Analysis], photos: Iterable[Path], jobs: int
) -> Iterator[tuple[Path, Outcome]]:
    """Each photo with its result or error, in the order given; `jobs` are analyzed at once.

    Reads at most twice as many paths ahead, so `photos` may be endless.
    """
    if jobs == 1:
        for path in photos:
            yield path, _attempt(analyze, path)
        return
    waiting: deque[tuple[Path, Future[Outcome]]] = deque()
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for path in photos:
                waiting.append((path, pool.submit(_attempt, analyze, path)))
                if len(waiting) > 2 * jobs:
                    path, future = waiting.popleft()
                    yield path, future.result()
            while waiting:
                path, future = waiting.popleft()
                yield path, future.result()
        finally:  # also if nobody wants the rest
            for _path, future in waiting:
                future.cancel()


def _attempt(analyze: Callable[[Path], Analysis], path: Path) -> Outcome:
    try:
        return analyze(path)
    except Exception as error:  # one bad photo must not stop the rest
        return error


class Progress:
    """A file of finished photos: one JSON object per line, with the path, size and result.

    A photo is finished if its path, size and time of change are those in the file. Without a path
    nothing is remembered.
    """

    def __init__(self, path: Path | None) -> None:
        self.finished: dict[str, tuple[list[int], Analysis]] = {}
        if path and path.exists():
            for line in path.read_text("utf-8").splitlines():
                self._take(line)
        self.file = path.open("a", encoding="utf-8") if path else None

    def _take(self, line: str) -> None:
        try:
            entry = json.loads(line)
            found = entry["stamp"], Analysis.read(entry["analysis"])
        except (ValueError, KeyError, TypeError):  # the last line may be cut off
            return
        self.finished[entry["file"]] = found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.file:
            self.file.close()

    def get(self, path: Path) -> Analysis | None:
        """The result of a photo that is finished and has not changed since."""
        stamp, analysis = self.finished.get(str(path), (None, None))
        return analysis if stamp == _stamp(path) else None

    def add(self, path: Path, analysis: Analysis) -> None:
        if self.file and analysis.status == "succeeded":
            entry = {"file": str(path), "stamp": _stamp(path), "analysis": analysis.raw}
            self.file.write(f"{json.dumps(entry)}\n")
            self.file.flush()


def _stamp(path: Path) -> list[int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]
