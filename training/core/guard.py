"""A reader that stops at what no file of rows contains: endless lines, endless files."""

import io
from typing import IO, Any

from .problems import DatasetError

MAX_BYTES = 4 * 2**30
MAX_LINE = 2**17
"""Bytes; a row of 48 x 48 pixels has at most 9,300."""


class GuardedReader(io.RawIOBase):
    """Passes on what `packed` gives, unpacked; DatasetError for a bomb before it fills memory."""

    def __init__(
        self, packed: IO[bytes], name: str, max_bytes: int = MAX_BYTES, max_line: int = MAX_LINE
    ) -> None:
        self._packed, self._name, self._max_bytes, self._max_line = (
            packed,
            name,
            max_bytes,
            max_line,
        )
        self._bytes = self._line = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._packed.read(len(buffer))
        buffer[: len(content)] = content
        self._bytes += len(content)
        newline = content.rfind(b"\n")
        self._line = self._line + len(content) if newline < 0 else len(content) - newline - 1
        if self._bytes > self._max_bytes or self._line > self._max_line:
            raise DatasetError(f"{self._name} is no table of faces: it, or a line, has no end.")
        return len(content)
