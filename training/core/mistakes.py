"""Contact sheets of the answers that were sure and wrong: one picture per class."""

import math
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from recognition.engine.emotions import EMOTIONS

from .figures import find_mistakes

_COLUMNS = 8


def draw_mistakes(
    images: NDArray[np.uint8],
    probabilities: NDArray[np.float32],
    labels: NDArray[np.int64],
    folder: Path,
    count: int,
) -> list[Path]:
    """Write mistakes-CLASS.png for each class with mistakes; under each face stands the answer."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for index, emotion in enumerate(EMOTIONS):
        rows = find_mistakes(probabilities, labels, index, count)
        if not len(rows):
            continue
        lines = math.ceil(len(rows) / _COLUMNS)
        figure = Figure(figsize=(1.25 * _COLUMNS, 1.5 * lines + 0.4), layout="constrained")
        figure.suptitle(f"labelled {emotion}, answered with the most confidence as something else")
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
