"""Contact sheets return exactly the packed faces."""

from dataclasses import fields, replace

import numpy as np
import pytest

from tests.training.drawing import make_faces, write_votes
from training.core.data import sheets
from training.core.data.datasets import load
from training.core.data.faces import DatasetError
from training.core.data.sheets import FACTS, write_sheets


@pytest.fixture(scope="module")
def faces():
    """Slightly more than a sheet, with everything a data set can contain."""
    random = np.random.default_rng(0)
    count = 2100
    return replace(
        make_faces(count),
        splits=(np.arange(count) % 3).astype(np.uint8),
        votes=random.random((count, 7)).astype(np.float32),
        is_face=np.arange(count) % 5 > 0,
        framings=random.random((count, 2, 3)).astype(np.float32),
    )


@pytest.fixture
def folder(faces, tmp_path):
    write_sheets(faces, tmp_path / "sheets")
    return tmp_path / "sheets"


def test_they_are_read_back_as_they_were(faces, folder, tmp_path):
    assert sorted(path.name for path in folder.iterdir()) == [
        "faces-000.png",
        "faces-001.png",
        FACTS,
    ]
    back = load(folder, tmp_path / "cache", framings=True)
    for field in fields(faces):
        assert np.array_equal(getattr(back, field.name), getattr(faces, field.name)), field.name


def test_they_need_no_framings(faces, folder, tmp_path):
    write_sheets(replace(faces, framings=None), folder)
    assert load(folder, tmp_path / "cache").framings is None


def test_framings_of_another_template_are_left_out(faces, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(sheets, "TEMPLATE", sheets.TEMPLATE + 1)
    assert sheets.read_sheets(folder).framings is None


@pytest.mark.parametrize("name", ["faces-001.png", FACTS])
def test_a_damaged_file_is_refused(folder, tmp_path, name):
    (folder / name).write_bytes((folder / name).read_bytes()[:200])
    with pytest.raises(DatasetError, match="sheets can't be read"):
        load(folder, tmp_path / "cache")


def test_a_missing_sheet_is_named(folder, tmp_path):
    (folder / "faces-001.png").unlink()
    with pytest.raises(DatasetError, match=r"faces-001\.png"):
        load(folder, tmp_path / "cache")


def test_votes_beside_them_are_refused(folder, tmp_path):
    votes = write_votes(tmp_path / "votes.csv", [])
    with pytest.raises(DatasetError, match="hold their votes already"):
        load(folder, tmp_path / "cache", votes)
