"""The accepted photo formats: how they are recognized, and how large photos may be."""

import re
from typing import NamedTuple

from PIL import Image

from .errors import MediaError

MAX_PIXELS = 100_000_000
"""The default pixel limit; larger photos are refused, except for those in `MAX_JPEG_PIXELS`."""

MAX_JPEG_PIXELS = 210_000_000
"""The limit for JPEGs whose decoder can skip pixels: phones write them with 200 megapixels.

Progressive ones are not among them, because all of their coefficients have to be in memory.
"""

MIN_SIDE = 16
"""Photos with a shorter side, in pixels, are refused: no face can be seen in them."""

MAX_LENGTH = 65_500
"""Photos with a longer side, in pixels, are refused: a JPEG file cannot hold them."""

MAXSCANS = 500
"""JPEGs with more scans are refused.

A progressive photo has about ten. A scan costs only a few bytes but visits every pixel, so a small
file could keep a decoder busy for hours.
"""

MAX_FRAME_SCANS = 30
"""The limit for webcam frames, which arrive many times a second."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "HEIF", "AVIF", "TIFF", "PPM", "JPEG2000")
"""The only decoders that are enabled, by Pillow's names."""

EXTENSIONS = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), "JPEG"),
    ".png": "PNG",
    ".webp": "WEBP",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".dib": "BMP",
    ".heic": "HEIF",
    ".heif": "HEIF",
    ".hif": "HEIF",
    ".avif": "AVIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    **dict.fromkeys((".pgm", ".ppm", ".pbm", ".pnm"), "PPM"),
    **dict.fromkeys((".jp2", ".j2k", ".jpf", ".jpx"), "JPEG2000"),
}
"""The format that each usual ending of a file's name stands for."""

COMMON_FORMATS = FORMATS[:7]
"""Those that browsers and phones write; the others are decoded only in workers."""

MOST_PAGES = 100
"""Pages of a document are counted up to here."""

ACCEPTED = "JPEG, PNG, WebP, GIF, BMP, HEIC, AVIF, TIFF, PGM, PPM and JPEG 2000 are accepted."


class Limits(NamedTuple):
    pixels: int
    jpeg_pixels: int


def check_size(image: Image.Image, limits: Limits) -> None:
    width, height = image.size
    name = format_name(image)
    limit = _pixel_limit(image, limits)
    if width * height > limit:
        larger = ""
        if limit < limits.jpeg_pixels:
            larger = (
                f" JPEGs that aren't progressive can have up to "
                f"{limits.jpeg_pixels / 1_000_000:g} megapixels."
            )
        raise MediaError(
            "too_many_pixels",
            f"The photo has {width * height / 1_000_000:.0f} megapixels; {_NAMES.get(name, name)} "
            f"can have up to {limit / 1_000_000:g} megapixels. Scale it down.{larger}",
        )
    if max(width, height) > MAX_LENGTH:
        raise MediaError(
            "too_long",
            f"A side of the photo has more than {MAX_LENGTH:,} pixels; cut it or scale it down.",
        )
    if min(width, height) < MIN_SIDE:
        raise MediaError(
            "too_small",
            f"The photo has only {width} × {height} pixels; "
            f"each side needs at least {MIN_SIDE} pixels.",
        )


_NAMES = {
    "JPEG": "progressive JPEGs",
    "HEIF": "HEIC",
    "JPEG2000": "JPEG 2000",
    "PPM": "PGM and PPM",
    "WEBP": "WebP",
}


def _pixel_limit(image: Image.Image, limits: Limits) -> int:
    """The most pixels that this photo may have; decoders differ in the memory they need."""
    if image.format in ("JPEG", "MPO"):
        # A progressive picture's coefficients are all kept until the last scan.
        return limits.pixels if image.info.get("progressive") else limits.jpeg_pixels
    if image.format == "JPEG2000":
        return min(limits.pixels, _JPEG2000_PIXELS)
    return limits.pixels


_JPEG2000_PIXELS = 24_000_000  # 4 bytes for each value, several times


def check_scans(image: Image.Image, data: bytes) -> None:
    if image.format in ("JPEG", "MPO") and data.count(SCAN) > MAXSCANS:
        raise MediaError(
            "too_many_scans",
            "The photo has far more scans than any camera writes. "
            "Save it again with another program.",
        )


# In compressed data 0xFF is always followed by 0, so this marker means a scan.
SCAN = b"\xff\xda"


def looks_like_an_image(data: bytes) -> bool:
    """Whether the first bytes are those of an accepted format."""
    return (
        is_jpeg(data)
        or is_webp(data)
        or is_tiff(data)
        or data.startswith((b"\x89PNG", b"GIF8", b"BM", _JPEG2000, _JPEG2000_STREAM))
        or (data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS)
        or _NETPBM.match(data) is not None
    )


_JPEG2000 = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
_JPEG2000_STREAM = b"\xff\x4f\xff\x51"
_NETPBM = re.compile(rb"P[1-6fF]\s+[\d#]")
_HEIF_BRANDS = frozenset(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis")
)


def is_tiff(data: bytes) -> bool:
    return data.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"))


def is_jpeg(data: bytes) -> bool:
    return data.startswith(b"\xff\xd8\xff")


def is_webp(data: bytes) -> bool:
    return data.startswith(b"RIFF") and data[8:12] == b"WEBP"


def is_plain_jpeg(data: bytes) -> bool:
    """Whether this is a JPEG as browsers write them: baseline, 8 bits, gray or color.

    Looks at the markers up to the first scan (ITU-T T.81, annex B).
    """
    place = 2
    while is_jpeg(data) and data[place : place + 1] == b"\xff" and place + 10 <= len(data):
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4])
        if marker == _BASELINE:
            return data[place + 4] == 8 and data[place + 9] in (1, 3)
        if marker not in _BEFORE_FRAME:
            return False
        place += 2 + length
    return False


_BASELINE = 0xC0
_BEFORE_FRAME = {0xDB, 0xC4, 0xDD, 0xFE, *range(0xE0, 0xF0)}  # tables, comments, metadata


def needs_decoder(data: bytes) -> bool:
    """Whether even the header is read by a decoder in C, instead of by Pillow's Python."""
    return is_webp(data) or data[4:8] == b"ftyp"


def format_name(image: Image.Image) -> str:
    # Phones write JPEGs with a second picture inside (MPO).
    return "JPEG" if image.format == "MPO" else image.format or ""
