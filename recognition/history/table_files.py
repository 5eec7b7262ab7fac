"""Writes rows of faces to CSV, JSON Lines or Parquet files, bit by bit."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from recognition.history.tables import COLUMNS, as_cells

Rows = Sequence[list[Any]]  # each in the order of COLUMNS


class TableFile:
    """A file that takes rows, as a context manager; complete when the block ends."""

    content_type: str
    file: Any

    def __init__(self, path: Path) -> None:
        self.file = path.open("w", encoding="utf-8", newline="")

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

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.table = csv.writer(self.file)
        self.table.writerow(COLUMNS)

    def write(self, rows: Rows) -> None:
        self.table.writerows(map(as_cells, rows))


class JsonLinesFile(TableFile):
    """One object per line, keyed by column."""

    content_type = "application/x-ndjson"

    def write(self, rows: Rows) -> None:
        encode = json.JSONEncoder(ensure_ascii=False, default=lambda moment: moment.isoformat())
        for row in rows:
            line = encode.encode(dict(zip(COLUMNS, row, strict=True)))
            self.file.write(f"{line}\n")


class ParquetFile(TableFile):
    """Typed columns; each call of `write` makes a row group."""

    content_type = "application/vnd.apache.parquet"

    def __init__(self, path: Path) -> None:
        # Imported here: the web process imports this module and must not load Arrow.
        import pyarrow
        from pyarrow import parquet

        types = dict.fromkeys(
            ("analysis", "kind", "title", "emotion", "correction"), pyarrow.string()
        )
        types |= dict.fromkeys(("tags", "quality"), pyarrow.list_(pyarrow.string()))
        types |= dict.fromkeys(("model_version", "face", "track"), pyarrow.int32())
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
    "jsonl": JsonLinesFile,
    "parquet": ParquetFile,
}
