"""Photo files to upright RGB pixels, and back to JPEG without metadata."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

from .errors import MediaError
from .opencv import cv2
from .types import PhotoHeader

MAX_PIXELS = 100_000_000
"""The default pixel limit; larger photos are refused."""

MIN_SIDE = 16
"""Photos with a shorter side, in pixels, are refused: no face can be seen in them."""

MAX_LENGTH = 65_500
"""Photos with a longer side, in pixels, are refused: a JPEG file cannot hold them."""

MAX_SCANS = 500
"""JPEGs with more scans are refused.

A progressive photo has about ten. A scan costs only a few bytes but visits every pixel, so a small
file could keep a decoder busy for hours.
"""

MAX_FRAME_SCANS = 30
"""The limit for webcam frames, which arrive many times a second."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "HEIF", "AVIF")
"""The only decoders that are enabled, by Pillow's names."""

pillow_heif.register_heif_opener()
# Mien's own limit is checked right after the header is read.
Image.MAX_IMAGE_PIXELS = None


def inspect_photo(source: bytes | Path, *, max_pixels: int = MAX_PIXELS) -> PhotoHeader:
    """The header, with the upright size; decodes no pixels.

    Raises MediaError: unreadable_file, empty_file, not_an_image, truncated_image, too_many_pixels,
    too_small, too_long, too_many_scans.
    """
    with _open(source, max_pixels) as image:
        return _header(image, image.size)


def decode_photo(
    source: bytes | Path, *, min_side: int | None = None, max_pixels: int = MAX_PIXELS
) -> tuple[NDArray[np.uint8], PhotoHeader]:
    """The upright photo as uint8 RGB [height, width, 3], and its header.

    With `min_side`, a large photo is reduced to 1/2, 1/3 and so on (a JPEG to 1/2, 1/4 or 1/8)
    while its longest side stays at least that many pixels; the header still has the full size.
    Transparent parts become white; animations give their first frame. The array may be read-only.
    Raises MediaError like inspect_photo.
    """
    with _open(source, max_pixels) as image:
        size = image.size
        if min_side is not None and image.format in ("JPEG", "MPO"):
            _draft(image, min_side)
        image.load()
        header = _header(image, size)
        rgb = _to_rgb(image)
        factor = max(size) // min_side if min_side and rgb.size == size else 1
        # Scaling down before turning and copying saves much memory.
        reduced = rgb.reduce(factor) if factor > 1 else rgb
        colors = _to_srgb(reduced, image.info.get("icc_profile"))
        return np.asarray(_turn_upright(colors, image)), header


def decode_frame(data: bytes, max_pixels: int) -> NDArray[np.uint8]:
    """A webcam frame, JPEG or WebP, as uint8 RGB [height, width, 3]: faster than decode_photo.

    Orientation and color profile are ignored: cameras in browsers write none. Raises MediaError:
    empty_file, not_an_image, too_many_pixels (from the header, before anything is decoded),
    truncated_image (also for other damage).
    """
    if not data:
        raise MediaError("empty_file", "The frame is empty.")
    if not _is_jpeg(data) and not _is_webp(data):
        raise MediaError("not_an_image", "The frame is neither JPEG nor WebP.")
    try:
        with Image.open(BytesIO(data), formats=("JPEG", "WEBP")) as image:
            width, height = image.size
    except Exception as error:  # decoders raise all sorts of exceptions
        raise _broken_frame() from error
    if width * height > max_pixels:
        raise MediaError(
            "too_many_pixels",
            f"The frame has {width} × {height} pixels; send at most {max_pixels:,} pixels.",
        )
    if _is_jpeg(data) and data.count(_SCAN) > MAX_FRAME_SCANS:
        raise _broken_frame()
    try:
        # A truncated picture gives None; before OpenCV 5 the rest came out gray.
        rgb = cv2.imdecode(np.frombuffer(data, np.uint8), _AS_STORED)
    except cv2.error as error:
        raise _broken_frame() from error
    if rgb is None:
        raise _broken_frame()
    return np.asarray(rgb, dtype=np.uint8)


_AS_STORED = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION


def _broken_frame() -> MediaError:
    return MediaError("truncated_image", "The frame is incomplete or damaged.")


def encode_jpeg(rgb: NDArray[np.uint8], quality: int = 95) -> bytes:
    """A uint8 RGB [height, width, 3] image as a JPEG file without any metadata."""
    buffer = BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def make_thumbnail(rgb: NDArray[np.uint8], side: int = 320) -> bytes:
    """A JPEG file whose longest side is at most `side` pixels, without any metadata."""
    height, width = rgb.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    return encode_jpeg(np.asarray(small, dtype=np.uint8), quality=85)


@contextmanager
def _open(source: bytes | Path, max_pixels: int) -> Iterator[Image.Image]:
    """The photo with only its header read; any error inside becomes a MediaError."""
    try:
        data = source if isinstance(source, bytes) else source.read_bytes()
    except OSError as error:
        raise MediaError(
            "unreadable_file", "The file doesn't exist or can't be read. Check its name."
        ) from error
    if not data:
        raise MediaError("empty_file", "The file is empty. Choose the photo again.")
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            _check_size(image.size, max_pixels)
            _check_scans(image, data)
            yield image
    except (MediaError, MemoryError):
        raise
    except Exception as error:  # decoders raise all sorts of exceptions
        if isinstance(error, UnidentifiedImageError) and not _looks_like_an_image(data):
            raise MediaError(
                "not_an_image",
                "This file isn't a photo Mien can read. "
                "JPEG, PNG, WebP, GIF, BMP, HEIC and AVIF are accepted.",
            ) from error
        raise MediaError(
            "truncated_image",
            "The photo is incomplete or damaged. Copy it again from the original.",
        ) from error


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise _too_many_pixels(max_pixels)
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


def _check_scans(image: Image.Image, data: bytes) -> None:
    if image.format in ("JPEG", "MPO") and data.count(_SCAN) > MAX_SCANS:
        raise MediaError(
            "too_many_scans",
            "The photo has far more scans than any camera writes. "
            "Save it again with another program.",
        )


# In compressed data 0xFF is always followed by 0, so this marker means a scan.
_SCAN = b"\xff\xda"


def _too_many_pixels(max_pixels: int) -> MediaError:
    return MediaError(
        "too_many_pixels",
        f"The photo has more than {max_pixels / 1_000_000:g} megapixels; "
        "scale it down and try again.",
    )


def _looks_like_an_image(data: bytes) -> bool:
    """Whether the first bytes are those of an accepted format."""
    container = data[4:12]
    return (
        _is_jpeg(data)
        or _is_webp(data)
        or data.startswith((b"\x89PNG", b"GIF8", b"BM"))
        or container in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypavif", b"ftypavis")
    )


def _is_jpeg(data: bytes) -> bool:
    return data.startswith(b"\xff\xd8\xff")


def _is_webp(data: bytes) -> bool:
    return data.startswith(b"RIFF") and data[8:12] == b"WEBP"


def _header(image: Image.Image, size: tuple[int, int]) -> PhotoHeader:
    width, height = size[::-1] if _orientation(image) in _SWAPPING else size
    # Phones write JPEGs with a second picture inside (MPO), and HEIF files with several.
    name = "JPEG" if image.format == "MPO" else image.format or ""
    animated = name not in ("JPEG", "HEIF") and bool(getattr(image, "is_animated", False))
    return PhotoHeader(name, width, height, animated)


# How to turn a photo upright, by its EXIF orientation (EXIF 2.32, section 4.6.4).
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SWAPPING = (5, 6, 7, 8)


def _orientation(image: Image.Image) -> int:
    try:
        # The base class's method: PNG's own would decode the pixels to look for EXIF behind them.
        value = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)
    except Exception:  # broken metadata is no reason to refuse the photo
        return 1
    return value if value in _TURNS else 1


def _turn_upright(pixels: Image.Image, image: Image.Image) -> Image.Image:
    turn = _TURNS.get(_orientation(image))
    return pixels if turn is None else pixels.transpose(turn)


def _draft(image: Image.Image, min_side: int) -> None:
    """Let the JPEG decoder skip high frequencies: much faster than decoding all and scaling."""
    width, height = image.size
    for scale in (8, 4, 2):
        if max(width, height) >= min_side * scale and min(width, height) >= scale:
            image.draft(None, (width // scale, height // scale))
            return


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # 16-bit gray; Pillow's conversion would clip at 255 instead of scaling.
        gray = np.right_shift(np.asarray(image), 8).clip(0, 255).astype(np.uint8)
        return Image.fromarray(gray).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        return white
    return image if image.mode == "RGB" else image.convert("RGB")


def _to_srgb(rgb: Image.Image, profile: bytes | None) -> Image.Image:
    """The photo converted to sRGB, for example from the Display P3 of phones.

    The stored photo keeps no color profile, so without this it would look pale.
    """
    if not profile:
        return rgb
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        is_srgb = "sRGB" in ImageCms.getProfileDescription(source)
        if is_srgb or source.profile.xcolor_space.strip() != "RGB":
            return rgb
        converted = ImageCms.profileToProfile(rgb, source, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):  # a damaged profile is no reason to refuse the photo
        return rgb
    return converted or rgb


_SRGB = ImageCms.createProfile("sRGB")
