"""The formats of laboratories and phones, and how large photos of each kind may be."""

import struct
from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from PIL import ExifTags, Image

from recognition.engine.errors import MediaError
from recognition.engine.formats import COMMON_FORMATS, MOST_PAGES, is_plain_jpeg
from recognition.engine.heif_orientation import turns_itself
from recognition.engine.media import decode_photo, inspect_photo

from .test_media import assert_quarters, code_of, quarters, save


@pytest.mark.parametrize("mode", ["RGB", "CMYK", "RGBA"])
@pytest.mark.parametrize(
    "compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"]
)
def test_tiff_is_read_however_it_is_stored(mode, compression):
    if (mode, compression) == ("RGBA", "jpeg"):
        pytest.skip("JPEG has no transparency")
    rgb, header = decode_photo(save(quarters().convert(mode), "TIFF", compression=compression))
    assert (header.format, header.width, header.height, header.pages) == ("TIFF", 60, 40, 1)
    assert_quarters(rgb)


def test_a_palette_is_read():
    assert_quarters(decode_photo(save(quarters().quantize(8), "TIFF"))[0])


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_gray_levels_of_any_depth_cover_the_whole_range(bits):
    levels = np.linspace(0, 2**bits - 1, 64 * 32).reshape(32, 64)
    picture = Image.fromarray(levels.astype(np.uint16 if bits > 8 else np.uint8))
    rgb, _header = decode_photo(save(picture, "TIFF"))
    assert (rgb.min(), rgb.max()) == (0, 255)
    assert int(rgb[16, 32, 0]) == pytest.approx(131, abs=2)


def test_floats_are_stretched():
    picture = Image.fromarray(np.linspace(-1, 1, 64 * 32, dtype=np.float32).reshape(32, 64))
    rgb, _header = decode_photo(save(picture, "TIFF"))
    assert (rgb.min(), rgb.max()) == (0, 255)


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_netpbm_is_read(mode):
    rgb, header = decode_photo(save(quarters().convert(mode), "PPM"))
    assert (header.format, rgb.shape) == ("PPM", (40, 60, 3))


def test_a_plain_pgm_of_16_bits_is_read():
    rgb, _header = decode_photo(b"P2\n# by hand\n20 20\n65535\n" + b"65535 0 " * 200)
    assert sorted(np.unique(rgb)) == [0, 255]


@pytest.mark.parametrize("options", [{}, {"no_jp2": True}])
def test_jpeg_2000_is_read(options):
    rgb, header = decode_photo(save(quarters(64, 64), "JPEG2000", **options))
    assert header.format == "JPEG2000"
    assert_quarters(rgb)


def pages(count: int) -> bytes:
    others = [Image.new("RGB", (30, 30))] * (count - 1)
    return save(quarters(), "TIFF", save_all=True, append_images=others)


def test_the_first_page_is_read_and_the_others_are_counted():
    rgb, header = decode_photo(pages(3))
    assert (header.pages, header.animated) == (3, False)
    assert_quarters(rgb)


def test_counting_pages_ends():
    assert inspect_photo(pages(MOST_PAGES + 5)).pages == MOST_PAGES


def test_a_tiff_that_no_decoder_knows_is_named():
    tiff = bytearray(save(quarters(), "TIFF"))
    at = tiff.index(struct.pack("<HHI", 258, 3, 3))  # bits per sample: three values elsewhere
    (place,) = struct.unpack_from("<I", tiff, at + 8)
    struct.pack_into("<HHH", tiff, place, 7, 9, 11)
    assert code_of(bytes(tiff)) == "unsupported_tiff"


def test_only_common_formats_are_read_where_nothing_else_may_be():
    assert code_of(save(quarters(), "TIFF"), formats=COMMON_FORMATS) == "not_an_image"
    assert_quarters(decode_photo(save(quarters(), "PNG"), formats=COMMON_FORMATS)[0])


# How a turned picture is stored: its first row is the right side of the upright one.
def turned(format: str, orientation: int = 6) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return save(quarters(96, 64).transpose(Image.Transpose.ROTATE_90), format, exif=exif)


@pytest.mark.parametrize("format", ["TIFF", "HEIF", "JPEG", "PNG", "WEBP"])
def test_orientation_is_applied_exactly_once(format):
    rgb, header = decode_photo(turned(format))
    assert (header.width, header.height, rgb.shape) == (96, 64, (64, 96, 3))
    assert inspect_photo(turned(format)) == header
    assert_quarters(rgb)


def test_exif_says_nothing_where_a_heic_turns_itself():
    heic = turned("HEIF")
    assert not turns_itself(heic)
    assert turns_itself(with_rotation(heic))


def with_rotation(heic: bytes) -> bytes:
    """The file with a rotation among the properties of its primary picture; sizes are fixed up."""
    rotation = struct.pack(">I4sB", 9, b"irot", 1)
    ipco = heic.index(b"ipco") - 4
    size = struct.unpack_from(">I", heic, ipco)[0]
    kinds = 0
    at = ipco + 8
    while at < ipco + size:
        kinds, at = kinds + 1, at + struct.unpack_from(">I", heic, at)[0]
    ipma = heic.index(b"ipma") - 4
    count_at = ipma + 8 + 4 + 4 + 2  # flags, entries, item
    inside = bytearray(heic[ipma : ipma + struct.unpack_from(">I", heic, ipma)[0]])
    inside[count_at - ipma] += 1
    inside += bytes([kinds + 1])
    struct.pack_into(">I", inside, 0, len(inside))
    meta = heic.index(b"meta") - 4
    iprp = heic.index(b"iprp") - 4
    changed = bytearray(heic[:ipco])
    changed += struct.pack(">I", size + 9) + heic[ipco + 4 : ipco + size] + rotation + inside
    changed += heic[ipma + len(inside) - 1 :]
    for box in (iprp, meta):
        struct.pack_into(">I", changed, box, struct.unpack_from(">I", changed, box)[0] + 10)
    return bytes(changed)


def test_a_container_without_the_usual_boxes_is_left_to_the_decoder():
    assert turns_itself(b"")
    assert turns_itself(b"\x00\x00\x00\x18ftypheic" + b"\x00" * 12)


def claiming(width: int, height: int, **options) -> bytes:
    """A JPEG whose header claims this size."""
    data = bytearray(save(quarters(), "JPEG", **options))
    marker = b"\xff\xc2" if options.get("progressive") else b"\xff\xc0"
    struct.pack_into(">HH", data, data.index(marker) + 5, height, width)
    return bytes(data)


def test_a_jpeg_may_have_200_megapixels():
    header = inspect_photo(claiming(16384, 12288), max_pixels=64_000_000)
    assert header.width * header.height > 200_000_000


def test_a_progressive_jpeg_may_not():
    with pytest.raises(MediaError) as caught:
        inspect_photo(claiming(12000, 9000, progressive=True), max_pixels=64_000_000)
    assert caught.value.code == "too_many_pixels"
    assert "progressive JPEGs can have up to 64 megapixels" in caught.value.message
    assert "JPEGs that aren't progressive can have up to 210 megapixels" in caught.value.message


def test_a_large_jpeg_is_decoded_small_but_keeps_its_size():
    file = BytesIO()
    quarters(9000, 6000).save(file, "JPEG", quality=50)
    rgb, header = decode_photo(file.getvalue(), min_side=2000, max_pixels=1_000_000)
    assert (header.width, header.height) == (9000, 6000)
    assert rgb.shape == (1500, 2250, 3)


def test_jpeg_2000_has_a_smaller_limit():
    data = bytearray(save(quarters(64, 64), "JPEG2000", no_jp2=True))
    struct.pack_into(">II", data, 8, 6000, 5000)
    with pytest.raises(MediaError, match="JPEG 2000 can have up to 24 megapixels"):
        inspect_photo(bytes(data))


def test_of_a_heic_with_several_pictures_the_primary_one_is_read():
    file = BytesIO()
    pictures = pillow_heif.from_pillow(Image.new("RGB", (64, 64), "red"))
    pictures.add_from_pillow(quarters(96, 64))
    pictures.save(file, primary_index=1, save_all=True)
    rgb, header = decode_photo(file.getvalue())
    assert (header.width, header.height, header.animated) == (96, 64, False)
    assert_quarters(rgb)


@pytest.mark.parametrize(
    ("options", "plain"),
    [
        ({}, True),
        ({"optimize": True}, True),
        ({"progressive": True}, False),
        ({"restart_marker_rows": 1}, True),
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_jpeg_as_browsers_write_them(mode, options, plain):
    data = save(quarters().convert(mode), "JPEG", **options)
    assert is_plain_jpeg(data) is plain


def test_a_jpeg_of_another_kind_or_cut_off_is_not_plain():
    assert not is_plain_jpeg(save(quarters().convert("CMYK"), "JPEG"))
    data = save(quarters(), "JPEG")
    start = data.index(b"\xff\xc0")
    assert not any(is_plain_jpeg(data[:length]) for length in range(start + 10))
    assert not is_plain_jpeg(data.replace(b"\xff\xc0", b"\xff\xc9"))  # arithmetic coding
