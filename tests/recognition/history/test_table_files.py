"""Export files: each format's content and types."""

import csv
import io
import json
import subprocess
import sys
from datetime import timedelta

import pyarrow
import pytest
from pyarrow import parquet

from recognition.history.table_files import FILES
from recognition.history.tables import COLUMNS, read_rows
from recognition.models import Face
from tests.processes import ROOT
from tests.recognition import histories

TITLE = "=cmd|' /C calc'!A0 – Größe, 笑顔 \"😀\""


@pytest.fixture
def written(user, tmp_path):
    """Writes a photo with one face and a session with two, row by row; returns the path."""
    histories.session(user)
    histories.photo(user, title=TITLE, tags=["+1", "zwölf"])

    def write(format: str):
        path = tmp_path / f"faces.{format}"
        with FILES[format](path) as file:
            for row in read_rows(Face.objects.all()):
                file.write([row])
        return path

    return write


def test_csv(written):
    lines = list(csv.DictReader(io.StringIO(written("csv").read_text("utf-8"), newline="")))
    assert list(lines[0]) == COLUMNS
    assert [line["kind"] for line in lines] == ["image", "webcam", "webcam"]
    first, second, third = lines
    assert (first["title"], first["tags"]) == (f"'{TITLE}", "'+1, zwölf")
    assert (first["track"], first["seconds"], first["quality"]) == ("", "", "small")
    assert (second["face"], second["track"], second["seconds"]) == ("1", "3", "0.0")
    assert (third["face"], third["track"], third["sad"]) == ("2", "7", "0.7")


def test_json_lines(written):
    rows = [json.loads(line) for line in written("jsonl").read_text("utf-8").splitlines()]
    assert list(rows[0]) == COLUMNS
    first, second, third = rows
    assert (first["title"], first["tags"]) == (TITLE, ["+1", "zwölf"])  # no formulas here
    assert (first["track"], first["seconds"], first["quality"]) == (None, None, ["small"])
    assert (second["track"], second["seconds"], third["track"]) == (3, 0.0, 7)
    assert first["created_at"].endswith("+00:00")


def test_parquet(written):
    path = written("parquet")
    table = parquet.read_table(path)
    assert table.column_names == COLUMNS
    types = {name: table.schema.field(name).type for name in COLUMNS}
    assert types["created_at"] == pyarrow.timestamp("us", "UTC")
    assert (types["face"], types["happy"]) == (pyarrow.int32(), pyarrow.float64())
    assert types["tags"] == pyarrow.list_(pyarrow.string())
    first, second, third = table.to_pylist()
    assert (first["title"], first["tags"], first["quality"]) == (TITLE, ["+1", "zwölf"], ["small"])
    assert (first["track"], second["track"], third["track"]) == (None, 3, 7)
    assert first["created_at"] - second["created_at"] < timedelta(minutes=1)
    assert parquet.read_metadata(path).num_row_groups == 3


@pytest.mark.parametrize("format", FILES)
def test_without_rows_a_file_is_whole_too(format, tmp_path):
    path = tmp_path / "empty"
    with FILES[format](path):
        pass
    if format == "parquet":
        assert parquet.read_table(path).column_names == COLUMNS
    else:
        assert (
            path.read_bytes().decode() == {"csv": ",".join(COLUMNS) + "\r\n", "jsonl": ""}[format]
        )


def test_the_web_process_does_not_load_arrow():
    program = "import fer_site.asgi, fer_site.urls, sys; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0
