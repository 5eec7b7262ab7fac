"""Writes rows of faces to CSV, Excel, JSON Lines or Parquet files, bit by bit."""

import csv
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from recognition.history.tables import COLUMNS, as_cells

Rows = Sequence[list[Any]]  # each in the order of COLUMNS


class TableFile:
    """A file that takes rows, as a context manager; complete when the block ends."""

    content_type: str
    extension: str
    encoding = "utf-8"
    most_rows: int | None = None
    file: Any

    def __init__(self, path: Path) -> None:
        self.file = path.open("w", encoding=self.encoding, newline="")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.file.close()

    def write(self, rows: Rows) -> None:
        raise NotImplementedError


class CsvFile(TableFile):
    """A header and one line per row (RFC 4180, UTF-8); no cell is a formula."""

    content_type = "text/csv; charset=utf-8"
    extension = "csv"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.table = csv.writer(self.file)
        self.table.writerow(COLUMNS)

    def write(self, rows: Rows) -> None:
        self.table.writerows(map(as_cells, rows))


class ExcelCsvFile(CsvFile):
    """CSV with a byte order mark, without which Excel takes UTF-8 for an older encoding."""

    encoding = "utf-8-sig"


class XlsxFile(TableFile):
    """An Excel workbook with one sheet, written row by row in constant memory."""

    content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    extension = "xlsx"
    most_rows = 2**20 - 1  # of a sheet, below the header

    def __init__(self, path: Path) -> None:
        from xlsxwriter import Workbook  # imported here: only exports need it

        options = {
            "constant_memory": True,
            "tmpdir": str(path.parent),
            "remove_timezone": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
        }
        self.file = Workbook(str(path), options)
        self.sheet = self.file.add_worksheet("faces")
        self.times = self.file.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self.sheet.write_row(0, 0, COLUMNS, self.file.add_format({"bold": True}))
        self.sheet.freeze_panes(1, 0)
        self.rows = 0

    def write(self, rows: Rows) -> None:
        for row in rows:
            self.rows += 1
            for column, value in enumerate(row):
                self._write_cell(column, value)

    def _write_cell(self, column: int, value: Any) -> None:
        if value is None:
            return
        if isinstance(value, datetime):
            self.sheet.write_datetime(self.rows, column, value, self.times)
        elif isinstance(value, int | float):
            self.sheet.write_number(self.rows, column, value)
        else:  # as text, so no cell is a formula
            text = ", ".join(value) if isinstance(value, list) else str(value)
            self.sheet.write_string(self.rows, column, text)


class JsonLinesFile(TableFile):
    """One object per line, keyed by column."""

    content_type = "application/x-ndjson"
    extension = "jsonl"

    def write(self, rows: Rows) -> None:
        encode = json.JSONEncoder(ensure_ascii=False, default=lambda moment: moment.isoformat())
        for row in rows:
            line = encode.encode(dict(zip(COLUMNS, row, strict=True)))
            self.file.write(f"{line}\n")


class ParquetFile(TableFile):
    """Typed columns; each call of `write` makes a row group."""

    content_type = "application/vnd.apache.parquet"
    extension = "parquet"

    def __init__(self, path: Path) -> None:
        # Imported here: the web process imports this module and must not load Arrow.
        import pyarrow
        from pyarrow import parquet

        types = dict.fromkeys(
            ("analysis", "kind", "title", "track_name", "emotion", "correction"), pyarrow.string()
        )
        types |= dict.fromkeys(("tags", "markers", "quality"), pyarrow.list_(pyarrow.string()))
        types |= dict.fromkeys(("model_version", "face", "track", "frame"), pyarrow.int32())
        types["created_at"] = pyarrow.timestamp("us", tz="UTC")
        fields = [(name, types.get(name, pyarrow.float64())) for name in COLUMNS]
        self.schema = pyarrow.schema(fields)
        self.file = parquet.ParquetWriter(path, self.schema, compression="zstd")

    def write(self, rows: Rows) -> None:
        import pyarrow

        columns = zip(*rows, strict=True)
        arrays = [
            pyarrow.array(values, field.type)
            for values, field in zip(columns, self.schema, strict=True)
        ]
        self.file.write_table(pyarrow.Table.from_arrays(arrays, schema=self.schema))


FILES: dict[str, type[TableFile]] = {
    "csv": CsvFile,
    "csv_excel": ExcelCsvFile,
    "xlsx": XlsxFile,
    "jsonl": JsonLinesFile,
    "parquet": ParquetFile,
}
