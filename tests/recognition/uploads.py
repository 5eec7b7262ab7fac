"""Uploaded files, good and bad, shared by tests."""

import io

import numpy as np
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from recognition.models import Analysis
from recognition.photos.submissions import submit_image


def upload_of(content: bytes, name: str = "photo.jpg") -> SimpleUploadedFile:
    """An uploaded file as from the upload handler."""
    upload = SimpleUploadedFile(name, content)
    upload.too_large = False
    return upload


def submit(owner, content: bytes, name: str = "photo.jpg", **options) -> Analysis:
    return submit_image(owner, upload_of(content, name), **options)


def picture(width: int, height: int, format: str, **options) -> bytes:
    """A picture of noise, without faces."""
    rng = np.random.default_rng(0)
    file = io.BytesIO()
    noise = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, format, **options)
    return file.getvalue()


def animation() -> bytes:
    """A GIF of two frames."""
    frames = [Image.new("RGB", (64, 64), color) for color in ("red", "blue")]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return file.getvalue()


def bomb() -> bytes:
    """A small PNG file that claims 20,000 x 20,000 pixels."""
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    return file.getvalue()
