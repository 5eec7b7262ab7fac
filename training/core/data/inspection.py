"""What a data set contains, and everything that is wrong with it rather than the first problem."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.engine.emotions import EMOTIONS

from .classes import STRICT, ClassNames, ClassOptions, UnknownClass, explain_unknown
from .datasets import load, shows_images
from .faces import SPLITS, DatasetError, Faces
from .folders import folder_members, parse_member, zip_members
from .sheets import are_sheets
from .tables import read_rows

MOST_PROBLEMS = 100
SAMPLES = 12


@dataclass
class Report:
    """What was found.

    `counts` are faces by split and class, `sizes` images by "WIDTHxHEIGHT". `across_splits` counts
    faces with a near-duplicate in another split, by "SPLIT/OTHER". `mapped` lists folders' names
    that were read as a class (name, emotion, images), `unknown` counts the images of others, which
    `left_out` says are ignored. `problems` are the first hundred of `problem_count` messages about
    what can't be read; `code` names their kind.
    """

    faces: int = 0
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    duplicates: int = 0
    across_splits: dict[str, int] = field(default_factory=dict)
    with_votes: int = 0
    not_faces: int = 0
    sources: dict[str, str] = field(default_factory=dict)
    mapped: list[dict[str, Any]] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)
    left_out: bool = False
    code: str = "malformed"
    problems: list[str] = field(default_factory=list)
    problem_count: int = 0

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def add(self, problem: DatasetError) -> None:
        self.problem_count += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(str(problem))


def inspect(
    data: Path, votes: Path | None, cache: Path, classes: ClassOptions = STRICT
) -> tuple[Report, Faces | None]:
    """Read the files that `load` reads to the end; give the faces only if all can be read.

    Near-duplicates are searched for only in that case. Takes about a minute for FER2013.
    """
    report, faces = Report(), None
    try:
        if are_sheets(data) or not shows_images(data):
            faces = load(data, cache, votes, classes=classes)
            report.sizes = _sizes([(faces.images.shape[2], faces.images.shape[1])] * len(faces))
        else:
            names = ClassNames()
            for label, split, size in _read_images(data, report, names, classes):
                _count(report, label, split, size)
            _judge_names(names, report, classes)
            if not report.problem_count:
                faces = load(data, cache, votes, classes=classes)
    except DatasetError as error:
        if not report.problem_count and data.is_file() and not shows_images(data):
            _read_table(data, report)
        if not report.problem_count:
            report.add(error)
        return report, None
    if faces is not None:
        _describe(faces, report)
    return report, faces


def draw_samples(faces: Faces) -> NDArray[np.uint8]:
    """A gray picture with one row per class: up to twelve faces, taken at even distances."""
    side = faces.images.shape[1]
    picture = np.full((len(EMOTIONS) * side, SAMPLES * side), 255, np.uint8)
    for label in range(len(EMOTIONS)):
        rows = np.flatnonzero(np.asarray(faces.labels) == label)
        chosen = rows[np.linspace(0, len(rows) - 1, min(SAMPLES, len(rows))).astype(int)]
        for column, row in enumerate(chosen):
            top, left = label * side, column * side
            picture[top : top + side, left : left + side] = faces.images[row]
    return picture


def encode_jpeg(picture: NDArray[np.uint8]) -> bytes:
    """A gray or RGB picture as a JPEG file."""
    if picture.ndim == 3:
        picture = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), np.uint8)
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def _read_images(
    data: Path, report: Report, names: ClassNames, classes: ClassOptions
) -> Iterator[tuple[int, int, tuple[int, int]]]:
    for name, content in folder_members(data) if data.is_dir() else zip_members(data):
        try:
            member = parse_member(name, content, data.name, classes)
        except UnknownClass as problem:
            names.unknown[problem.name] += 1
        except DatasetError as problem:
            report.add(problem)
        else:
            folder, emotion = name.parent.name, EMOTIONS[member.label]
            if folder.lower() != emotion:
                names.mapped[folder, emotion] += 1
            yield member.label, member.split, member.size


def _judge_names(names: ClassNames, report: Report, classes: ClassOptions) -> None:
    """Note which names were mapped or left out, or the problem with unknown ones."""
    found = names.describe()
    report.mapped, report.unknown = found["mapped"], found["unknown"]
    if not names.unknown:
        return
    code, sentence = explain_unknown(names)
    if code == "unknown_classes" and classes.leave_out_unknown and report.faces:
        report.left_out = True
        return
    if not report.problem_count:
        report.code = code
    report.add(DatasetError(sentence))


def _read_table(data: Path, report: Report) -> None:
    """Go through a CSV that can't be used and note every bad row."""
    try:
        for row in read_rows(data):
            if isinstance(row, DatasetError):
                report.add(row)
            else:
                _count(report, row.label, row.split, row.image.shape[::-1])
    except DatasetError as error:
        report.add(error)


def _count(report: Report, label: int, split: int, size: tuple[int, ...]) -> None:
    report.faces += 1
    classes = report.counts.setdefault(SPLITS[split], dict.fromkeys(EMOTIONS, 0))
    classes[EMOTIONS[label]] += 1
    name = f"{size[0]}x{size[1]}"
    report.sizes[name] = report.sizes.get(name, 0) + 1


def _sizes(sizes: list[tuple[int, int]]) -> dict[str, int]:
    return {f"{width}x{height}": count for (width, height), count in Counter(sizes).items()}


def _describe(faces: Faces, report: Report) -> None:
    labels, splits = np.asarray(faces.labels), np.asarray(faces.splits)
    groups = np.asarray(faces.groups)
    report.faces = len(faces)
    report.counts = {
        name: {
            emotion: int(((splits == split) & (labels == label)).sum())
            for label, emotion in enumerate(EMOTIONS)
        }
        for split, name in enumerate(SPLITS)
        if (splits == split).any()
    }
    report.duplicates = len(groups) - len(np.unique(groups))
    for (first, name), (second, other) in combinations(enumerate(SPLITS), 2):
        shared = np.intersect1d(groups[splits == first], groups[splits == second])
        if len(shared):
            either = (splits == first) | (splits == second)
            report.across_splits[f"{name}/{other}"] = int((np.isin(groups, shared) & either).sum())
    report.with_votes = int((np.asarray(faces.votes).sum(axis=1) > 0).sum())
    report.not_faces = int((~np.asarray(faces.is_face)).sum())
    report.sources = dict(faces.sources)
