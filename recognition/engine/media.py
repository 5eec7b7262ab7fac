"""Photo files to upright RGB pixels, and back to JPEG without metadata."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

from .errors import MediaError
from .formats import (
    ACCEPTED,
    FORMATS,
    MAX_FRAME_SCANS,
    MAX_JPEG_PIXELS,
    MAX_PIXELS,
    MOST_PAGES,
    SCAN,
    Limits,
    check_scans,
    check_size,
    format_name,
    is_jpeg,
    is_tiff,
    is_webp,
    looks_like_an_image,
)
from .heif_orientation import turns_itself
from .opencv import cv2
from .repair import ENOUGH, complete_file
from .types import PhotoHeader

pillow_heif.register_heif_opener()
# Mien's own limit is checked right after the header is read.
Image.MAX_IMAGE_PIXELS = None


def inspect_photo(
    source: bytes | Path, *, max_pixels: int = MAX_PIXELS, max_jpeg_pixels: int = MAX_JPEG_PIXELS
) -> PhotoHeader:
    """The header, with the upright size; decodes no pixels.

    Raises MediaError: unreadable_file, empty_file, not_an_image, unsupported_tiff, truncated_image,
    too_many_pixels, too_small, too_long, too_many_scans.
    """
    with _open(_read(source), Limits(max_pixels, max_jpeg_pixels)) as image:
        return _header(image, image.size, _orientation(image))


def decode_photo(
    source: bytes | Path,
    *,
    min_side: int | None = None,
    max_pixels: int = MAX_PIXELS,
    max_jpeg_pixels: int = MAX_JPEG_PIXELS,
    formats: Sequence[str] = FORMATS,
) -> tuple[NDArray[np.uint8], PhotoHeader]:
    """The upright photo as uint8 RGB [height, width, 3], and its header.

    With `min_side`, a large photo is reduced to 1/2, 1/3 and so on (a JPEG to 1/2, 1/4 or 1/8)
    while its longest side stays at least that many pixels; the header still has the full size.
    Transparent parts become white; animations give their first frame, documents their first page.
    The array may be read-only. A JPEG or PNG of which a small part is missing is decoded too; its
    header says so. Raises MediaError like inspect_photo.
    """
    data, limits = _read(source), Limits(max_pixels, max_jpeg_pixels)
    try:
        return _decode(data, limits, min_side, formats)
    except MediaError as error:
        completed = complete_file(data) if error.code == "truncated_image" else None
        if completed is None:
            raise
        rgb, header = _decode(completed, limits, min_side, formats, is_completed=True)
        return rgb, replace(header, incomplete=True)


def _decode(
    data: bytes,
    limits: Limits,
    min_side: int | None,
    formats: Sequence[str],
    is_completed: bool = False,
) -> tuple[NDArray[np.uint8], PhotoHeader]:
    with _open(data, limits, formats) as image:
        size = image.size
        if min_side is not None:
            _draft(image, min_side)
        turned = image.format in _TURNED_BY_DECODER
        orientation = _orientation(image) if turned else 1
        image.load()
        if not turned:  # its EXIF may come after the pixels
            orientation = _orientation(image)
        header = _header(image, size, orientation)
        rgb = _to_rgb(image)
        if is_completed and _share_present(rgb) < ENOUGH:
            raise _damaged()
        factor = max(size) // min_side if min_side and rgb.size == size else 1
        # Scaling down before turning and copying saves much memory.
        reduced = rgb.reduce(factor) if factor > 1 else rgb
        colors = _to_srgb(reduced, image.info.get("icc_profile"))
        turn = _TURNS.get(orientation)
        return np.asarray(colors if turn is None else colors.transpose(turn)), header


def _share_present(rgb: Image.Image) -> float:
    """The share of the rows above those that a decoder filled with plain gray."""
    rows = np.asarray(rgb)
    is_gray = (rows == 128).all(axis=(1, 2))
    return float(1 - (len(is_gray) if is_gray.all() else np.argmin(is_gray[::-1])) / len(is_gray))


def decode_frame(data: bytes, max_pixels: int) -> NDArray[np.uint8]:
    """A webcam frame, JPEG or WebP, as uint8 RGB [height, width, 3]: faster than decode_photo.

    Orientation and color profile are ignored: cameras in browsers write none. Raises MediaError:
    empty_file, not_an_image, too_many_pixels (from the header, before anything is decoded),
    truncated_image (also for other damage).
    """
    if not data:
        raise MediaError("empty_file", "The frame is empty.")
    if not is_jpeg(data) and not is_webp(data):
        raise MediaError("not_an_image", "The frame is neither JPEG nor WebP.")
    try:
        with Image.open(BytesIO(data), formats=("JPEG", "WEBP")) as image:
            width, height = image.size
    except Exception as error:  # decoders raise all sorts of exceptions
        raise broken_frame() from error
    if width * height > max_pixels:
        raise MediaError(
            "too_many_pixels",
            f"The frame has {width} × {height} pixels; send at most {max_pixels:,} pixels.",
        )
    if is_jpeg(data) and data.count(SCAN) > MAX_FRAME_SCANS:
        raise broken_frame()
    try:
        # A truncated picture gives None; before OpenCV 5 the rest came out gray.
        rgb = cv2.imdecode(np.frombuffer(data, np.uint8), _AS_STORED)
    except cv2.error as error:
        raise broken_frame() from error
    if rgb is None:
        raise broken_frame()
    return np.asarray(rgb, dtype=np.uint8)


_AS_STORED = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION


def broken_frame() -> MediaError:
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


def _read(source: bytes | Path) -> bytes:
    try:
        data = source if isinstance(source, bytes) else source.read_bytes()
    except OSError as error:
        raise MediaError(
            "unreadable_file", "The file doesn't exist or can't be read. Check its name."
        ) from error
    if not data:
        raise MediaError("empty_file", "The file is empty. Choose the photo again.")
    return data


@contextmanager
def _open(data: bytes, limits: Limits, formats: Sequence[str] = FORMATS) -> Iterator[Image.Image]:
    """The photo with only its header read; any error inside becomes a MediaError."""
    try:
        with Image.open(BytesIO(data), formats=tuple(formats)) as image:
            check_size(image, limits)
            check_scans(image, data)
            yield image
    except (MediaError, MemoryError):
        raise
    except Exception as error:  # decoders raise all sorts of exceptions
        if not looks_like_an_image(data):
            raise MediaError(
                "not_an_image", f"This file isn't a photo Mien can read. {ACCEPTED}"
            ) from error
        if isinstance(error, UnidentifiedImageError) and tuple(formats) != FORMATS:
            raise MediaError(
                "not_an_image", "Only JPEG, PNG, WebP, GIF, BMP, HEIC and AVIF are accepted here."
            ) from error
        if is_tiff(data) and isinstance(error, UnidentifiedImageError | ValueError | KeyError):
            raise MediaError(
                "unsupported_tiff",
                "This kind of TIFF can't be read. Save it with 8 bits per channel, or as PNG.",
            ) from error
        raise _damaged() from error


def _damaged() -> MediaError:
    return MediaError(
        "truncated_image", "The photo is incomplete or damaged. Copy it again from the original."
    )


def _header(image: Image.Image, size: tuple[int, int], orientation: int) -> PhotoHeader:
    width, height = size[::-1] if orientation in _SWAPPING else size
    name = format_name(image)
    # HEIF files may hold several pictures; the primary one is decoded.
    animated = name not in ("JPEG", "HEIF", "TIFF") and bool(getattr(image, "is_animated", False))
    pages = _count_pages(image) if name == "TIFF" else 1
    return PhotoHeader(name, width, height, animated, pages)


def _count_pages(image: Image.Image) -> int:
    """The pages of a document, at most `MOST_PAGES`: a small file may list very many."""
    pages = 1
    try:
        while pages < MOST_PAGES:
            image.seek(pages)
            pages += 1
    except EOFError:
        pass
    finally:
        image.seek(0)
    return pages


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
_TURNED_BY_DECODER = ("TIFF", "HEIF")


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation that remains to be applied to the decoded picture."""
    if image.format == "TIFF":  # applied by its decoder
        return 1
    if image.format == "HEIF":
        value = image.info.get("original_orientation")
        fp = getattr(image, "fp", None)
        is_turned = fp is None or turns_itself(fp.getvalue())
        return value if value in _TURNS and not is_turned else 1
    try:
        # The base class's method: PNG's own would decode the pixels to look for EXIF behind them.
        value = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)
    except Exception:  # broken metadata is no reason to refuse the photo
        return 1
    return value if value in _TURNS else 1


def _draft(image: Image.Image, min_side: int) -> None:
    """Let the JPEG decoder skip high frequencies: much faster than decoding all and scaling."""
    if image.format not in ("JPEG", "MPO"):
        return
    width, height = image.size
    for scale in (8, 4, 2):
        if max(width, height) >= min_side * scale and min(width, height) >= scale:
            image.draft(None, (width // scale, height // scale))
            return


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_to_8_bits(image)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        return white
    return image if image.mode == "RGB" else image.convert("RGB")


def _to_8_bits(image: Image.Image) -> NDArray[np.uint8]:
    """Gray levels of more than 8 bits as uint8 [height, width].

    Pillow's conversion would clip at 255. Microscopes and cameras store 10, 12 or 14 bits in the
    16 of a TIFF; the largest value tells which. Other numbers, such as floats, are stretched.
    """
    levels = np.nan_to_num(np.asarray(image))
    low, high = float(levels.min()), float(levels.max())
    if image.mode == "F" or low < 0 or high > 0xFFFF:
        stretched = (levels - low) * (255 / max(high - low, 1e-9))
        return np.asarray(stretched.clip(0, 255), dtype=np.uint8)
    bits = 16 if image.format != "TIFF" else max(8, min(16, 2 * math.ceil(np.log2(high + 1) / 2)))
    return np.asarray(np.right_shift(levels, bits - 8).clip(0, 255), dtype=np.uint8)


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
