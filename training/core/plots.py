"""Pictures of an evaluation: confusion matrix, reliability diagram, most confident mistakes.

The file name decides the format: PNG, SVG or whatever else Matplotlib writes.
"""

import math
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from recognition.engine.emotions import EMOTIONS

from .evaluate import Evaluation, find_mistakes

_INK, _ACCENT = "#1f2430", "#3566c4"


def plot_confusion(evaluation: Evaluation, path: Path) -> None:
    """Draw the confusion matrix, in percent of each true class."""
    counts = np.array(evaluation.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(EMOTIONS)), EMOTIONS, rotation=35, ha="right")
    axes.set_yticks(range(len(EMOTIONS)), EMOTIONS)
    axes.set_xlabel("predicted")
    axes.set_ylabel("labeled")
    for row, column in np.ndindex(*shares.shape):
        share = shares[row, column]
        color = "white" if share > 0.55 else _INK
        axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", color=color)
    accuracy = f"accuracy {100 * evaluation.accuracy:.1f} %"
    axes.set_title(f"{evaluation.faces} faces, {accuracy}  (rows in %)")
    figure.savefig(path, dpi=150)


def plot_reliability(evaluation: Evaluation, path: Path) -> None:
    """Draw accuracy against confidence in 15 bins, and the number of faces in each."""
    bins = evaluation.reliability
    edges = np.arange(len(bins)) / len(bins)
    figure = Figure(figsize=(5.6, 6.2), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    upper.plot([0, 1], [0, 1], color=_INK, linewidth=1, linestyle=":")
    filled = [bin for bin in bins if bin.count]
    upper.plot(
        [bin.confidence for bin in filled],
        [bin.accuracy for bin in filled],
        marker="o",
        color=_ACCENT,
    )
    upper.set(xlim=(0, 1), ylim=(0, 1), ylabel="accuracy")
    upper.set_title(f"Expected calibration error {100 * evaluation.ece:.1f} %")
    lower.bar(edges, [bin.count for bin in bins], width=1 / len(bins), align="edge", color=_ACCENT)
    lower.set(xlabel="top probability", ylabel="faces")
    figure.savefig(path, dpi=150)


_COLUMNS = 8


def draw_mistakes(
    images: NDArray[np.uint8],
    probabilities: NDArray[np.float32],
    labels: NDArray[np.int64],
    folder: Path,
    count: int,
) -> list[Path]:
    """Write mistakes-CLASS.png for each class with mistakes, with the answer under each face."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for index, emotion in enumerate(EMOTIONS):
        rows = find_mistakes(probabilities, labels, index, count)
        if not len(rows):
            continue
        lines = math.ceil(len(rows) / _COLUMNS)
        figure = Figure(figsize=(1.25 * _COLUMNS, 1.5 * lines + 0.4), layout="constrained")
        figure.suptitle(f"labeled {emotion}: most confident mistakes")
        cells = figure.subplots(lines, _COLUMNS, squeeze=False).ravel()
        for cell in cells:
            cell.set_axis_off()
        for cell, row in zip(cells, rows, strict=False):
            answer = int(probabilities[row].argmax())
            cell.imshow(images[row], cmap="gray", vmin=0, vmax=255)
            percent = 100 * probabilities[row, answer]
            cell.set_title(f"{EMOTIONS[answer]} {percent:.0f} %", fontsize=8, y=-0.24)
        path = folder / f"mistakes-{emotion}.png"
        figure.savefig(path, dpi=150)
        written.append(path)
    return written
