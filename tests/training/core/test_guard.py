"""Packed files that have no end are left before they fill the memory."""

import io

import pytest

from training.core.guard import GuardedReader
from training.core.problems import DatasetError


def read(content: bytes, **limits: int) -> bytes:
    return io.BufferedReader(GuardedReader(io.BytesIO(content), "faces.csv", **limits)).read()


def test_it_passes_on_what_it_reads():
    content = b"0,1 2 3\n" * 5000
    assert read(content, max_line=20_000) == content


def test_it_stops_at_an_endless_file():
    with pytest.raises(DatasetError, match=r"faces\.csv is no table"):
        read(b"1\n" * 1000, max_bytes=1500)


def test_it_stops_at_an_endless_line():
    with pytest.raises(DatasetError, match=r"faces\.csv is no table"):
        read(bytes(100_000), max_line=50_000)
