"""A data set as PNG contact sheets: a small folder that is quick to copy and to read.

    python -m training.core --data fer2013.csv.gz --sheets FOLDER

The folder holds everything that was read, votes and framings included, and works wherever a data
set is expected.
"""

import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.engine.align import SIDE, TEMPLATE

from .faces import DatasetError, Faces

ROWS, COLUMNS = 50, 40
FACTS = "faces.npz"


def are_sheets(folder: Path) -> bool:
    """Whether this is a folder of contact sheets."""
    return (folder / FACTS).is_file()


def write_sheets(faces: Faces, folder: Path) -> None:
    """Write the images as sheets of 50 rows of 40 faces, and everything else to faces.npz."""
    folder.mkdir(parents=True, exist_ok=True)
    for sheet, start in enumerate(range(0, len(faces), ROWS * COLUMNS)):
        part = faces.images[start : start + ROWS * COLUMNS]
        cells = np.zeros((ROWS * COLUMNS, SIDE, SIDE), np.uint8)
        cells[: len(part)] = part
        picture = cells.reshape(ROWS, COLUMNS, SIDE, SIDE).swapaxes(1, 2)
        encoded = cv2.imencode(".png", picture.reshape(ROWS * SIDE, COLUMNS * SIDE), _SMALL)[1]
        _sheet(folder, sheet).write_bytes(encoded.tobytes())
    facts = {name: getattr(faces, name) for name in _FACTS}
    if faces.framings is not None:
        facts |= {"framings": faces.framings, _TEMPLATE: TEMPLATE}
    # Written last: a folder without this file doesn't count as a data set.
    np.savez_compressed(folder / FACTS, sources=np.array(json.dumps(faces.sources)), **facts)


def read_sheets(folder: Path) -> Faces:
    """Read back what `write_sheets` wrote; DatasetError if a file is missing or damaged.

    Framings measured for another template than the engine's current one are left out.
    """
    try:
        with np.load(folder / FACTS, allow_pickle=False) as file:
            facts = {name: file[name] for name in _FACTS}
            if _TEMPLATE in file.files and np.array_equal(file[_TEMPLATE], TEMPLATE):
                facts["framings"] = file["framings"]
            sources = json.loads(str(file["sources"]))
        count = len(facts["labels"])
        sheets = [_read(folder, sheet) for sheet in range(-(-count // (ROWS * COLUMNS)))]
        return Faces(images=np.concatenate(sheets)[:count], sources=sources, **facts)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{folder.name}: the sheets can't be read: {error}.") from error


_FACTS = ("labels", "splits", "votes", "is_face", "groups")
_TEMPLATE = "template"
_SMALL = [cv2.IMWRITE_PNG_COMPRESSION, 9]


def _sheet(folder: Path, number: int) -> Path:
    return folder / f"faces-{number:03d}.png"


def _read(folder: Path, number: int) -> NDArray[np.uint8]:
    path = _sheet(folder, number)
    picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    if picture is None or picture.shape != (ROWS * SIDE, COLUMNS * SIDE):
        raise ValueError(f"{path.name} is not a sheet of {ROWS} x {COLUMNS} faces")
    cells = np.asarray(picture, np.uint8).reshape(ROWS, SIDE, COLUMNS, SIDE).swapaxes(1, 2)
    return cells.reshape(ROWS * COLUMNS, SIDE, SIDE)
