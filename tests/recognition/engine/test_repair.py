"""A JPEG or PNG whose end is missing is read if little is missing."""

import numpy as np
import pytest
import skimage.data
from PIL import Image

from recognition.engine.media import decode_photo

from .test_media import code_of, save

PORTRAIT = Image.fromarray(skimage.data.astronaut())
KINDS = {
    "jpeg": save(PORTRAIT, "JPEG", quality=90),
    "progressive jpeg": save(PORTRAIT, "JPEG", quality=90, progressive=True),
    "png": save(PORTRAIT, "PNG"),
    "gray png": save(PORTRAIT.convert("L"), "PNG"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [0.97, 0.999])
def test_what_is_there_is_read(kind, part):
    whole, _header = decode_photo(KINDS[kind])
    rgb, header = decode_photo(KINDS[kind][: int(len(KINDS[kind]) * part)])
    assert header.incomplete
    assert rgb.shape == whole.shape
    top = slice(0, int(512 * 0.85))
    assert np.abs(rgb[top].astype(int) - whole[top]).mean() < 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [0.3, 0.6])
def test_with_too_little_it_is_an_error(kind, part):
    assert code_of(KINDS[kind][: int(len(KINDS[kind]) * part)]) == "truncated_image"


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_file_is_not_called_incomplete(kind):
    assert not decode_photo(KINDS[kind])[1].incomplete


def test_missing_rows_of_a_png_repeat_the_last_one():
    data = KINDS["png"]
    rgb, _header = decode_photo(data[: int(len(data) * 0.95)])
    assert (rgb[-1] == rgb[-2]).all()
    assert rgb[-1].std() > 0


def test_a_png_that_is_damaged_near_its_end_is_read():
    data = bytearray(KINDS["png"])
    data[-3000:-2000] = bytes(1000)
    assert decode_photo(bytes(data))[1].incomplete


def test_a_jpeg_is_read_when_it_is_decoded_smaller():
    data = save(PORTRAIT.resize((2048, 2048)), "JPEG")
    rgb, header = decode_photo(data[: int(len(data) * 0.97)], min_side=512)
    assert (header.incomplete, rgb.shape) == (True, (512, 512, 3))


def test_an_interlaced_png_is_not_completed():
    # Written by hand: Pillow writes none. Seven passes over 8x8 gray pixels.
    data = bytearray(save(Image.new("L", (64, 64), 90), "PNG"))
    data[28] = 1
    assert code_of(bytes(data[:-20])) == "truncated_image"
