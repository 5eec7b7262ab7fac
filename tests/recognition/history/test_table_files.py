"""Export files: each format's content and types."""

import csv
import io
import json
import subprocess
import sys
from datetime import timedelta

import pyarrow
import pytest
from openpyxl import load_workbook
from pyarrow import parquet

from recognition.history import tasks as history_tasks
from recognition.history.codebook import table_schema
from recognition.history.export_requests import request_export
from recognition.history.table_files import FILES, XlsxFile
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
    elif format == "xlsx":
        assert [
            cell.value for cell in load_workbook(io.BytesIO(path.read_bytes())).active[1]
        ] == COLUMNS
    else:
        header = ",".join(COLUMNS) + "\r\n"
        wanted = {"csv": header, "csv_excel": f"\ufeff{header}", "jsonl": ""}
        assert path.read_bytes().decode() == wanted[format]


def test_csv_for_excel_begins_with_a_byte_order_mark(written):
    content = written("csv_excel").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfanalysis,")
    assert "笑顔".encode() in content


def test_a_workbook_has_typed_cells_and_no_formula(written):
    sheet = load_workbook(written("xlsx")).active
    header, first, second, third = (list(row) for row in sheet.iter_rows())
    assert [cell.value for cell in header] == COLUMNS
    cells = dict(zip(COLUMNS, first, strict=True))
    assert (cells["title"].value, cells["title"].data_type) == (TITLE, "s")
    assert (cells["tags"].value, cells["track"].value) == ("+1, zwölf", None)
    assert cells["created_at"].is_date
    assert (cells["happy"].data_type, cells["face"].value) == ("n", 1)
    assert [row[COLUMNS.index("track")].value for row in (second, third)] == [3, 7]


def test_more_faces_than_a_sheet_holds_are_a_clear_error(user, monkeypatch):
    histories.session(user)
    monkeypatch.setattr(XlsxFile, "most_rows", 1)
    export = request_export(user, "xlsx", {})
    history_tasks.export(str(export.pk))
    export.refresh_from_db()
    assert (export.status, export.error_code) == ("failed", "too_many_rows")
    assert "CSV or Parquet" in export.error_message


def test_the_codebook_describes_every_column(signed_in, user):
    export = request_export(user, "csv", {})
    answer = signed_in.get(f"/api/v1/exports/{export.pk}/codebook/")
    assert answer["Content-Disposition"].endswith('.schema.json"')
    fields = answer.json()["fields"]
    assert [field["name"] for field in fields] == COLUMNS
    assert all(field["description"].endswith(".") for field in fields)
    types = {"string", "integer", "number", "datetime"}
    assert {field["type"] for field in fields} <= types


def test_the_documentation_names_every_column_and_format():
    page = (ROOT / "docs" / "reference" / "exports.md").read_text()
    assert [name for name in [*COLUMNS, *FILES] if f"`{name}`" not in page] == []


def test_values_follow_the_codebook(written):
    fields = {field["name"]: field for field in table_schema()["fields"]}
    for line in csv.DictReader(io.StringIO(written("csv").read_text("utf-8"), newline="")):
        for name, value in line.items():
            rules = fields[name].get("constraints", {})
            if value and "enum" in rules:
                assert value in rules["enum"]
            if value and "maximum" in rules:
                assert rules["minimum"] <= float(value) <= rules["maximum"]


def test_the_web_process_does_not_load_arrow():
    program = "import fer_site.asgi, fer_site.urls, sys; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0
