"""CSVs are read row by row: malformed rows are named, and endless files are abandoned."""

import gzip
import io
import lzma
import zipfile

import numpy as np
import pytest

from tests.training.drawing import draw_faces, write_csv, write_votes
from training.core.data.datasets import load
from training.core.data.faces import DatasetError
from training.core.data.tables import GuardedReader

PIXELS = " ".join(["7"] * 48 * 48)


def write_rows(path, *rows):
    path.write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    return path


@pytest.mark.parametrize("packing", ["csv", "csv.gz", "csv.xz", "zip"])
def test_it_reads_the_official_csv_however_it_is_packed(tmp_path, packing):
    plain = write_csv(tmp_path / "plain.csv").read_bytes()
    path = tmp_path / f"fer2013.{packing}"
    if packing == "csv":
        path.write_bytes(plain)
    elif packing == "csv.gz":
        path.write_bytes(gzip.compress(plain))
    elif packing == "csv.xz":
        path.write_bytes(lzma.compress(plain))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("fer2013/fer2013.csv", plain)
    faces = load(path, tmp_path / "cache")
    images, labels = draw_faces(14)
    assert np.array_equal(faces.images, images)
    assert np.array_equal(faces.labels, labels)
    assert len(faces.rows("Training")) == 11
    assert len(faces.rows("PublicTest")) == 3
    assert list(faces.sources) == [path.name]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"7,{PIXELS},Training", "line 3: the emotion is '7'"),
        (f"happy,{PIXELS},Training", "line 3: the emotion is 'happy'"),
        ("3,1 2 3,Training", "line 3: 3 pixels instead of 2304"),
        (f"3,{PIXELS[:-1]}x,Training", "line 3: the pixels must be whole numbers"),
        (f"3,{PIXELS[:-1]}256,Training", "line 3: pixels must be between 0 and 255"),
        (f"3,{PIXELS},Sunday", "line 3: the usage is 'Sunday'"),
        ("3", "line 3: 1 columns instead of 3"),
    ],
)
def test_it_names_the_row_and_the_reason(tmp_path, row, reason):
    path = write_rows(tmp_path / "faces.csv", f"0,{PIXELS},Training", row)
    with pytest.raises(DatasetError, match=reason):
        load(path, tmp_path / "cache")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "header"), (b"a,b\n1,2\n", "header"), (b"emotion,pixels,Usage\n", "no rows")],
)
def test_it_refuses_a_file_that_is_no_data_set(tmp_path, content, reason):
    path = tmp_path / "faces.csv"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=reason):
        load(path, tmp_path / "cache")


def test_it_refuses_a_damaged_archive(tmp_path):
    path = tmp_path / "faces.csv.gz"
    path.write_bytes(write_csv(tmp_path / "whole.csv.gz").read_bytes()[:500])
    with pytest.raises(DatasetError, match="can't be read"):
        load(path, tmp_path / "cache")


def test_votes_become_shares_of_the_seven_expressions(tmp_path):
    path = write_rows(tmp_path / "faces.csv", f"3,{PIXELS},Training", f"0,{PIXELS},Training")
    votes = write_votes(
        tmp_path / "votes.csv",
        [
            "Training,a.png,2,6,0,0,0,0,0,1,1,0",
            "Training,,0,0,0,0,0,0,0,0,0,10",
            "PrivateTest,b.png,10,0,0,0,0,0,0,0,0,0",
        ],
    )
    faces = load(path, tmp_path / "cache", votes)
    assert faces.votes[0] == pytest.approx([0, 0, 0, 0.75, 0, 0, 0.25])
    assert faces.is_face.tolist() == [True, False]


def test_a_line_of_votes_that_ends_early_is_named(tmp_path):
    path = write_rows(tmp_path / "faces.csv", f"3,{PIXELS},Training")
    votes = tmp_path / "votes.csv"
    votes.write_text("NF,neutral,happiness,surprise,sadness,anger,disgust,fear,Usage\n0,1,2\n")
    with pytest.raises(DatasetError, match=r"votes\.csv, line 2: the usage"):
        load(path, tmp_path / "cache", votes)


def test_files_as_other_programs_write_them(tmp_path):
    path = write_csv(tmp_path / "faces.csv")
    content = path.read_bytes()
    with zipfile.ZipFile(tmp_path / "faces.zip", "w") as archive:
        archive.writestr("faces.csv", content)
        archive.writestr("__MACOSX/._faces.csv", b"what a Mac knows about it")
    assert len(load(tmp_path / "faces.zip", tmp_path / "cache")) == 14
    path.write_bytes("\ufeff".encode() + content)
    assert len(load(path, tmp_path / "cache")) == 14


def test_votes_for_other_rows_are_refused(tmp_path):
    path = write_rows(tmp_path / "faces.csv", f"3,{PIXELS},Training", f"3,{PIXELS},Training")
    votes = write_votes(tmp_path / "votes.csv", ["Training,a.png,10,0,0,0,0,0,0,0,0,0"])
    with pytest.raises(DatasetError, match="other rows"):
        load(path, tmp_path / "cache", votes)


def read(content: bytes, **limits: int) -> bytes:
    return io.BufferedReader(GuardedReader(io.BytesIO(content), "faces.csv", **limits)).read()


def test_it_passes_on_what_it_reads():
    content = b"0,1 2 3\n" * 5000
    assert read(content, max_line=20_000) == content


def test_it_stops_at_an_endless_file():
    with pytest.raises(DatasetError, match=r"faces\.csv is not a table"):
        read(b"1\n" * 1000, max_bytes=1500)


def test_it_stops_at_an_endless_line():
    with pytest.raises(DatasetError, match=r"faces\.csv is not a table"):
        read(bytes(100_000), max_line=50_000)
