"""Whether a HEIF file itself says how to turn its primary picture (ISO/IEC 23008-12)."""

import struct
from collections.abc import Iterator

_TURNING = (b"irot", b"imir")


def turns_itself(data: bytes) -> bool:
    """Whether the container turns or mirrors its primary picture; the decoder does that then.

    Only without such a property does the EXIF orientation say how the picture is turned.
    """
    try:
        meta = next(body for name, body in _boxes(data) if name == b"meta")[4:]
        boxes = dict(_boxes(meta))
        properties = dict(_boxes(boxes[b"iprp"]))
        kinds = [name for name, _body in _boxes(properties[b"ipco"])]
        wanted = _primary_item(boxes[b"pitm"])
        used = _associations(properties[b"ipma"]).get(wanted, ())
        return any(0 < index <= len(kinds) and kinds[index - 1] in _TURNING for index in used)
    except (StopIteration, KeyError, struct.error, IndexError):
        return True  # not the usual structure: trust the decoder


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and contents of the boxes in a box (ISO/IEC 14496-12, section 4.2)."""
    at = 0
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        end = at + size if size else len(data)
        if end < at + head:
            return
        yield name, data[at + head : end]
        at = end


def _primary_item(pitm: bytes) -> int:
    number: int = struct.unpack_from(">I" if pitm[0] else ">H", pitm, 4)[0]
    return number


def _associations(ipma: bytes) -> dict[int, list[int]]:
    """The 1-based numbers of each item's properties, by the item's id."""
    version, wide = ipma[0], ipma[3] & 1
    (count,) = struct.unpack_from(">I", ipma, 4)
    at, found = 8, {}
    for _ in range(count):
        (item,) = struct.unpack_from(">I" if version else ">H", ipma, at)
        at += 4 if version else 2
        number = ipma[at]
        at += 1
        step, mask = (2, 0x7FFF) if wide else (1, 0x7F)
        indices = struct.unpack_from(f">{number}{'H' if wide else 'B'}", ipma, at)
        found[item] = [index & mask for index in indices]
        at += step * number
    return found
