"""Accepted formats are decoded upright and in true colors; others give clear errors."""

import zlib
from contextlib import suppress
from io import BytesIO

import numpy as np
import pytest
from PIL import ExifTags, Image

from recognition.engine.errors import MediaError
from recognition.engine.formats import FORMATS
from recognition.engine.media import decode_photo, encode_jpeg, inspect_photo, make_thumbnail

RED, GREEN, BLUE, WHITE = (250, 10, 20), (10, 240, 30), (20, 30, 250), (255, 255, 255)
CORNERS = {"top left": RED, "top right": GREEN, "bottom left": BLUE, "bottom right": WHITE}


def quarters(width=60, height=40) -> Image.Image:
    """A picture with a color in each corner."""
    image = Image.new("RGB", (width, height), WHITE)
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    return image


def save(image: Image.Image, format: str, **options) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def assert_quarters(rgb: np.ndarray, tolerance=24) -> None:
    height, width = rgb.shape[:2]
    x, y = (width // 4, 3 * width // 4), (height // 4, 3 * height // 4)
    seen = [rgb[row, column] for row in y for column in x]
    for (corner, color), found in zip(CORNERS.items(), seen, strict=True):
        assert np.abs(np.subtract(found, color, dtype=int)).max() <= tolerance, corner


def code_of(source, **options) -> str:
    with pytest.raises(MediaError) as caught:
        decode_photo(source, **options)
    assert caught.value.message.endswith(".")
    return caught.value.code


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "HEIF", "AVIF"])
def test_it_reads(format):
    rgb, header = decode_photo(save(quarters(64, 48), format))
    assert (header.format, header.width, header.height) == (format, 64, 48)
    assert (rgb.shape, rgb.dtype) == ((48, 64, 3), np.uint8)
    assert_quarters(rgb)


def test_it_reads_a_file_by_its_content_and_not_its_name(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(save(quarters(), "JPEG"))
    assert decode_photo(path)[1].format == "JPEG"


UNDO = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def oriented(value: int, format: str, size=(60, 40), **options) -> bytes:
    """A picture that its EXIF orientation turns upright."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = value
    image = quarters(*size)
    stored = image if UNDO[value] is None else image.transpose(UNDO[value])
    return save(stored, format, exif=exif, **options)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("value", UNDO)
def test_it_applies_the_exif_orientation(format, value):
    rgb, header = decode_photo(oriented(value, format))
    assert (header.width, header.height) == (60, 40)
    assert_quarters(rgb)


@pytest.mark.parametrize("value", [3, 6])
def test_it_applies_the_orientation_of_avif(value):
    rgb, header = decode_photo(oriented(value, "AVIF", size=(128, 96)))
    assert (header.width, header.height) == (128, 96)
    assert_quarters(rgb, tolerance=40)


def test_a_header_has_the_upright_size():
    header = inspect_photo(oriented(6, "JPEG"))
    assert (header.width, header.height) == (60, 40)


def test_an_orientation_out_of_range_is_ignored():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 77
    assert_quarters(decode_photo(save(quarters(), "JPEG", exif=exif))[0])


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_broken_exif_does_not_cost_the_photo():
    data = save(quarters(), "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff")
    assert_quarters(decode_photo(data)[0])


def test_an_orientation_behind_the_pixels_is_applied():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    plain = save(quarters().transpose(UNDO[6]), "PNG")
    body = exif.tobytes().removeprefix(b"Exif\x00\x00")
    chunk = b"eXIf" + body
    chunk = len(body).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    end = plain.rindex(b"IEND") - 4
    rgb, header = decode_photo(plain[:end] + chunk + plain[end:])
    assert (header.width, header.height) == (60, 40)
    assert_quarters(rgb)


def test_it_reads_cmyk():
    rgb, _ = decode_photo(save(quarters().convert("CMYK"), "JPEG", quality=95))
    assert_quarters(rgb, tolerance=40)


def test_it_reads_a_palette():
    assert_quarters(decode_photo(save(quarters().quantize(8), "PNG"))[0])


def test_it_reads_gray():
    rgb, _ = decode_photo(save(Image.new("L", (32, 24), 90), "PNG"))
    assert (rgb == 90).all()
    assert rgb.shape == (24, 32, 3)


def test_it_reads_black_and_white():
    rgb, _ = decode_photo(save(Image.new("1", (32, 24), 1), "PNG"))
    assert (rgb == 255).all()


def test_it_scales_16_bits_of_gray():
    gray = Image.fromarray(np.full((24, 32), 0x8012, dtype=np.uint16))
    rgb, _ = decode_photo(save(gray, "PNG"))
    assert (rgb == 0x80).all()


def png_16_bit_rgb(color: tuple[int, int, int], width=32, height=24) -> bytes:
    """Written by hand, because Pillow can't."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
        )

    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    row = b"\x00" + b"".join(value.to_bytes(2, "big") for value in color) * width
    parts = chunk(b"IHDR", size + bytes([16, 2, 0, 0, 0])) + chunk(
        b"IDAT", zlib.compress(row * height)
    )
    return b"\x89PNG\r\n\x1a\n" + parts + chunk(b"IEND", b"")


def test_it_scales_16_bits_of_color():
    rgb, _ = decode_photo(png_16_bit_rgb((0xFFFF, 0x8012, 0x0100)))
    assert (rgb == [255, 128, 1]).all()


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_parts_become_white(mode):
    image = quarters().convert(mode)
    image.putalpha(0)
    assert (decode_photo(save(image, "PNG"))[0] == 255).all()


def test_half_transparent_parts_are_mixed_with_white():
    rgb, _ = decode_photo(save(Image.new("RGBA", (32, 32), (0, 0, 0, 128)), "WEBP", lossless=True))
    assert np.abs(rgb.astype(int) - 127).max() <= 1


def test_a_transparent_palette_color_becomes_white():
    image = Image.new("P", (32, 32), 1)
    image.putpalette([0, 0, 0, 200, 0, 0])
    assert (decode_photo(save(image, "GIF", transparency=1))[0] == 255).all()


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_an_animation_gives_its_first_frame(format):
    frames = [Image.new("RGB", (32, 32), color) for color in (RED, GREEN, BLUE)]
    options = {"lossless": True} if format == "WEBP" else {}
    data = save(frames[0], format, save_all=True, append_images=frames[1:], duration=50, **options)
    rgb, header = decode_photo(data)
    assert header.animated
    assert np.abs(rgb.astype(int) - RED).max() < 8


def test_a_still_picture_is_not_animated():
    assert not inspect_photo(save(quarters(), "GIF")).animated


def test_a_second_picture_inside_a_jpeg_is_no_animation():
    data = save(quarters(), "MPO", save_all=True, append_images=[quarters()])
    header = inspect_photo(data)
    assert (header.format, header.animated) == ("JPEG", False)


def test_a_large_jpeg_is_decoded_smaller():
    rgb, header = decode_photo(save(quarters(1600, 1200), "JPEG"), min_side=400)
    assert rgb.shape == (300, 400, 3)
    assert (header.width, header.height) == (1600, 1200)
    assert_quarters(rgb)


@pytest.mark.parametrize("format", ["PNG", "WEBP", "BMP"])
def test_a_large_photo_of_another_format_is_reduced(format):
    rgb, header = decode_photo(save(quarters(1600, 1200), format), min_side=400)
    assert rgb.shape == (300, 400, 3)
    assert (header.width, header.height) == (1600, 1200)
    assert_quarters(rgb)


def test_a_large_photo_of_another_format_is_reduced_and_turned():
    rgb, header = decode_photo(oriented(6, "PNG", size=(1200, 800)), min_side=300)
    assert rgb.shape == (200, 300, 3)
    assert (header.width, header.height) == (1200, 800)
    assert_quarters(rgb)


def test_it_stays_above_the_side_that_was_asked_for():
    rgb, _ = decode_photo(save(quarters(1600, 1200), "JPEG"), min_side=401)
    assert rgb.shape == (600, 800, 3)


def test_a_jpeg_smaller_than_asked_for_stays_as_it_is():
    rgb, _ = decode_photo(save(quarters(160, 120), "JPEG"), min_side=400)
    assert rgb.shape == (120, 160, 3)


@pytest.mark.parametrize("value", [1, 3, 6])
def test_a_turned_jpeg_is_decoded_smaller_too(value):
    rgb, header = decode_photo(oriented(value, "JPEG", size=(1200, 800)), min_side=300)
    assert rgb.shape == (200, 300, 3)
    assert (header.width, header.height) == (1200, 800)
    assert_quarters(rgb)


@pytest.mark.parametrize("mode", ["CMYK", "L"])
def test_a_jpeg_without_color_channels_is_decoded_smaller_too(mode):
    image = Image.new("L", (800, 800), 77).convert(mode)
    rgb, _ = decode_photo(save(image, "JPEG"), min_side=200)
    assert rgb.shape == (200, 200, 3)
    assert np.abs(rgb.astype(int) - 77).max() <= 3


def test_a_sliver_is_not_reduced_to_nothing():
    rgb, _ = decode_photo(save(Image.new("RGB", (9000, 16), RED), "JPEG"), min_side=1000)
    assert rgb.shape[0] >= 1


def test_an_empty_file_is_named():
    assert code_of(b"") == "empty_file"


def test_an_empty_file_on_disk_is_named(tmp_path):
    path = tmp_path / "photo.jpg"
    path.touch()
    assert code_of(path) == "empty_file"


def test_a_missing_file_is_named(tmp_path):
    assert code_of(tmp_path / "nothing.jpg") == "unreadable_file"


def test_a_folder_is_named(tmp_path):
    assert code_of(tmp_path) == "unreadable_file"


@pytest.mark.parametrize(
    "data",
    [
        b"hello, this is no photo",
        b"\x00" * 5000,
        b"<svg xmlns='http://www.w3.org/2000/svg'><rect width='9' height='9'/></svg>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n",
        b"%PDF-1.7\n",
        save(quarters(), "ICO"),
        save(quarters(), "PCX"),
        b"P1 is a name, not a picture",
    ],
    ids=["text", "zeros", "svg", "eps", "pdf", "ico", "pcx", "words"],
)
def test_what_is_no_accepted_photo_is_named(data):
    assert code_of(data) == "not_an_image"


@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.85])
@pytest.mark.parametrize("format", FORMATS)
def test_a_truncated_photo_is_named(format, part):
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    data = save(Image.fromarray(noise), format)
    assert code_of(data[: int(len(data) * part)]) == "truncated_image"


def test_a_truncated_jpeg_is_named_when_decoded_smaller():
    data = save(quarters(1600, 1200), "JPEG")
    assert code_of(data[: len(data) // 2], min_side=200) == "truncated_image"


@pytest.mark.parametrize("format", FORMATS)
def test_flipped_bytes_never_crash(format):
    data = save(quarters(), format)
    random = np.random.default_rng(1)
    for _ in range(60):
        broken = bytearray(data)
        for position in random.integers(0, len(data), 8):
            broken[position] = random.integers(0, 256)
        with suppress(MediaError):
            decode_photo(bytes(broken))


def test_a_bomb_is_refused_from_its_header():
    header = (20000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    chunk = b"IHDR" + header
    bomb = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0d" + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    bomb += b"\x00\x00\x00\x08IDAT" + b"\x00" * 12
    with pytest.raises(MediaError) as caught:
        inspect_photo(bomb)
    assert caught.value.code == "too_many_pixels"
    assert "100 megapixels" in caught.value.message


def test_the_limit_on_pixels_can_be_set():
    assert code_of(save(quarters(), "PNG"), max_pixels=2399) == "too_many_pixels"
    assert decode_photo(save(quarters(), "PNG"), max_pixels=2400)


@pytest.mark.parametrize("size", [(1, 1), (15, 200), (200, 15)])
def test_a_tiny_photo_is_refused(size):
    assert code_of(save(Image.new("RGB", size), "PNG")) == "too_small"


def test_a_side_that_no_jpeg_could_hold_is_refused():
    assert code_of(save(Image.new("1", (65_501, 16)), "PNG")) == "too_long"


def test_a_jpeg_of_endless_passes_is_refused():
    data = save(Image.new("L", (64, 64), 128), "JPEG", progressive=True)
    last_scan = data[data.rindex(b"\xff\xda") : -2]
    decode_photo(data)
    assert code_of(data[:-2] + 1000 * last_scan + data[-2:]) == "too_many_scans"


def test_an_encoded_jpeg_has_no_metadata():
    rgb, _ = decode_photo(oriented(6, "JPEG", size=(64, 48)))
    image = Image.open(BytesIO(encode_jpeg(rgb)))
    assert image.size == (64, 48)
    assert not image.getexif()
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_a_thumbnail_fits_and_keeps_the_shape():
    image = Image.open(BytesIO(make_thumbnail(np.asarray(quarters(900, 600)))))
    assert image.size == (320, 213)


def test_a_small_photo_is_its_own_thumbnail():
    assert Image.open(BytesIO(make_thumbnail(np.asarray(quarters())))).size == (60, 40)


def test_a_thumbnail_of_a_sliver_has_a_pixel_at_least():
    assert Image.open(BytesIO(make_thumbnail(np.zeros((2, 4000, 3), np.uint8)))).size == (320, 1)
