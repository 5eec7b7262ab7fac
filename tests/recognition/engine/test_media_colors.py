"""Colors are converted to sRGB from any profile."""

import re
from io import BytesIO

from PIL import Image, ImageCms

from recognition.engine.media import decode_photo


def other_colors() -> bytes:
    """A color profile that swaps sRGB's red and green."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    swapped = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}
    return re.sub(b"rXYZ|gXYZ", lambda found: swapped[found[0]], profile)


def test_colors_of_another_profile_become_srgb():
    photo = Image.new("RGB", (64, 64), (200, 30, 30))
    file = BytesIO()
    photo.save(file, "PNG", icc_profile=other_colors())
    rgb, _header = decode_photo(file.getvalue())

    red, green, _blue = rgb[32, 32]
    assert green > 150
    assert red < 80


def test_a_damaged_profile_is_no_reason_to_refuse_a_photo():
    file = BytesIO()
    Image.new("RGB", (64, 64), (200, 30, 30)).save(file, "PNG", icc_profile=b"no profile")
    rgb, _header = decode_photo(file.getvalue())

    assert rgb[32, 32].tolist() == [200, 30, 30]
