"""Completes JPEG and PNG files that break off near their end, so they can be read."""

import struct
import zlib
from collections.abc import Iterator

ENOUGH = 0.9
"""The share of a picture that must be there to read it."""

_PNG = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by PNG color type
_END_OF_IMAGE = b"\xff\xd9"
_REPEAT_ROW = 2  # PNG filter "up": with zeros, a row is the same as the one above it


def complete_file(data: bytes) -> bytes | None:
    """The damaged file with its end added, or None if there is no way to read it.

    A PNG is returned only if at least `ENOUGH` of it is there. In a JPEG the missing part becomes
    plain gray, so the caller must look how much that is.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return data + _END_OF_IMAGE if _has_all_frequencies(data) else None
    return _complete_png(data) if data.startswith(_PNG) else None


def _has_all_frequencies(jpeg: bytes) -> bool:
    """Whether a JPEG breaks off where its first component has every coefficient.

    A sequential JPEG has them in its only scan. A progressive one (ITU-T T.81, annex G) begins with
    coarse scans; its last ones must have begun, which add only precision.
    """
    spectra = []
    for start in _find_all(jpeg, b"\xff\xda"):
        count = jpeg[start + 4] if start + 4 < len(jpeg) else 0
        end = start + 5 + 2 * count
        if end + 2 < len(jpeg):
            spectra.append((jpeg[start + 5], jpeg[end], jpeg[end + 1], jpeg[end + 2] & 15))
    if not spectra:
        return False
    first, lowest, highest, _shift = spectra[0]
    if (lowest, highest) == (0, 63):
        return True
    shifts = [shift for name, _low, high, shift in spectra if name == first and high == 63]
    return len(shifts) > 1 and shifts[-1] == 0


def _find_all(data: bytes, marker: bytes) -> Iterator[int]:
    at = data.find(marker)
    while at >= 0:
        yield at
        at = data.find(marker, at + 2)


def _complete_png(data: bytes) -> bytes | None:
    """The PNG with its missing rows filled by the last one (W3C PNG, sections 5 and 9)."""
    chunks = list(_chunks(data))
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13:
        return None
    width, height, depth, color, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    if interlaced or color not in _CHANNELS or not width * height:
        return None
    row = 1 + (width * depth * _CHANNELS[color] + 7) // 8
    pixels = _inflate(b"".join(body for name, body in chunks if name == b"IDAT"), row * height)
    rows = len(pixels) // row
    if rows < ENOUGH * height:
        return None
    filler = bytes([_REPEAT_ROW]) + bytes(row - 1)
    pixels = pixels[: rows * row] + filler * (height - rows)
    head = [chunk for chunk in chunks if chunk[0] not in (b"IDAT", b"IEND")]
    body = [*head, (b"IDAT", zlib.compress(pixels, 1)), (b"IEND", b"")]
    return _PNG + b"".join(_chunk(name, content) for name, content in body)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and contents of a PNG's chunks; the last may be cut off."""
    at = len(_PNG)
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        yield name, data[at + 8 : at + 8 + length]
        at += 12 + length


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I4s", len(content), name) + content + struct.pack(">I", checksum)


def _inflate(data: bytes, limit: int) -> bytes:
    """As much of a damaged zlib stream as can be unpacked, at most `limit` bytes."""
    inflater, out = zlib.decompressobj(), bytearray()
    # In small steps, because a step that meets the damage returns nothing.
    for start in range(0, len(data), 4096):
        try:
            out += inflater.decompress(data[start : start + 4096], max(1, limit - len(out)))
            while inflater.unconsumed_tail and len(out) < limit:
                out += inflater.decompress(inflater.unconsumed_tail, limit - len(out))
        except zlib.error:
            break
        if len(out) >= limit:
            break
    return bytes(out[:limit])
