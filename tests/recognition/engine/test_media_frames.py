"""Webcam frames are decoded as stored; bad ones give clear errors."""

import struct
from contextlib import suppress

import numpy as np
import pytest
from PIL import ExifTags, Image

from recognition.engine.errors import MediaError
from recognition.engine.media import decode_frame

from .test_media import assert_quarters, quarters, save

PIXELS = 1_000_000


def code_of(data: bytes, max_pixels: int = PIXELS) -> str:
    with pytest.raises(MediaError) as caught:
        decode_frame(data, max_pixels)
    assert caught.value.message.endswith(".")
    return caught.value.code


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
def test_it_reads(format):
    rgb = decode_frame(save(quarters(64, 48), format), PIXELS)
    assert (rgb.shape, rgb.dtype) == ((48, 64, 3), np.uint8)
    assert_quarters(rgb)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_kinds_of_jpeg_become_rgb(mode):
    assert decode_frame(save(quarters().convert(mode), "JPEG"), PIXELS).shape == (40, 60, 3)


def test_a_progressive_jpeg_is_read():
    assert_quarters(decode_frame(save(quarters(64, 48), "JPEG", progressive=True), PIXELS))


def test_of_an_animation_it_is_the_first_frame():
    data = save(quarters(), "WEBP", save_all=True, append_images=[Image.new("RGB", (60, 40))])
    assert_quarters(decode_frame(data, PIXELS))


def test_the_orientation_is_not_applied():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    assert_quarters(decode_frame(save(quarters(), "JPEG", exif=exif), PIXELS))


def test_a_tiny_frame_is_read():
    assert decode_frame(save(Image.new("RGB", (1, 1)), "JPEG"), PIXELS).shape == (1, 1, 3)


def test_nothing_is_an_empty_file():
    assert code_of(b"") == "empty_file"


@pytest.mark.parametrize("format", ["PNG", "GIF", "BMP", "HEIF", "AVIF", "TIFF"])
def test_other_formats_are_refused(format):
    assert code_of(save(quarters(), format)) == "not_an_image"


@pytest.mark.parametrize("data", [b"\x00", b"no picture", b"RIFF1234WAVEfmt ", b"\xff\xd8"])
def test_what_is_no_picture_is_named(data):
    assert code_of(data) == "not_an_image"


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
@pytest.mark.parametrize("missing", [2, 3, 30, 0.2, 0.5, 0.9])
def test_a_truncated_jpeg_is_named(missing, options):
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    data = save(Image.fromarray(noise), "JPEG", **options)
    count = missing if isinstance(missing, int) else int(len(data) * missing)
    assert code_of(data[:-count]) == "truncated_image"


@pytest.mark.parametrize("missing", [1, 30, 0.5, 0.95])
def test_a_truncated_webp_is_named(missing):
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    data = save(Image.fromarray(noise), "WEBP")
    count = missing if isinstance(missing, int) else int(len(data) * missing)
    assert code_of(data[:-count]) == "truncated_image"


@pytest.mark.parametrize("data", [b"\xff\xd8\xff", b"RIFF\x04\x00\x00\x00WEBP"])
def test_a_beginning_alone_is_truncated(data):
    assert code_of(data) == "truncated_image"


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
def test_the_limit_on_pixels_holds(format):
    data = save(quarters(64, 48), format)
    assert decode_frame(data, 64 * 48).shape == (48, 64, 3)
    assert code_of(data, 64 * 48 - 1) == "too_many_pixels"


def test_a_bomb_is_refused_from_its_header():
    data = bytearray(save(quarters(64, 48), "JPEG"))
    size = data.index(b"\xff\xc0") + 5
    data[size : size + 4] = struct.pack(">HH", 65_000, 65_000)
    assert code_of(bytes(data)) == "too_many_pixels"


def test_a_jpeg_of_endless_passes_is_refused():
    data = save(quarters(), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    assert code_of(data[:last] + data[last:-2] * 40 + data[-2:]) == "truncated_image"


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
def test_flipped_bytes_never_crash(format):
    chance = np.random.default_rng(0)
    good = save(quarters(), format)
    for _ in range(200):
        data = bytearray(good)
        for position in chance.integers(0, len(data), 3):
            data[position] = chance.integers(0, 256)
        with suppress(MediaError):
            assert decode_frame(bytes(data), PIXELS).ndim == 3
