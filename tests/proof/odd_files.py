"""Odd picture and video files for the fuzz: empty, lying, damaged, mutated, and some good ones."""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import skimage.data
from PIL import Image, PngImagePlugin

from tests.recognition.engine.clips import astronaut, write
from tests.recognition.engine.fuzzing import damage, make_files

NAMES = (
    *("a.png", "../../etc/passwd", "ü\u202egpj.exe", "x" * 300, "a\0b.jpg"),
    *("..", ""),  # no file, says Django
)
CONTAINERS = {
    "mp4": "libx264",
    "mkv": "libx264",
    "webm": "libvpx",
    "avi": "mpeg4",
    "ts": "libx264",
    "mov": "libx264",
}


class Odd(NamedTuple):
    """A file and the name that it is sent with."""

    name: str
    content: bytes


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *more: bytes, depth: int = 8) -> bytes:
    """A PNG header of this size with one row of pixels, and more chunks before them."""
    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    rows = chunk(b"IDAT", zlib.compress(bytes(3 * min(width, 1000) + 1)))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(more) + rows + chunk(b"IEND", b"")
    )


def saved(picture: Image.Image, form: str, **options) -> bytes:  # type: ignore[no-untyped-def]
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def crafted_pictures() -> list[bytes]:
    """What somebody would send on purpose."""
    face = Image.fromarray(skimage.data.astronaut()[:300, 80:380])
    jpeg = saved(face, "JPEG")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("photo.jpg", bytes(10_000_000))
    bomb = saved(Image.new("1", (20_000, 20_000)), "PNG")  # small, and large once decoded
    moving = saved(face, "GIF", save_all=True, append_images=[face.rotate(90)])
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "x" * 500_000, zip=True)
    loop = b"II*\0\x08\0\0\0" + struct.pack("<HHHIII", 1, 256, 3, 1, 64, 8)  # its own next page
    deep = np.random.default_rng(0).integers(0, 65536, (40, 40), dtype=np.uint16)
    return [
        *(b"", b"\0", b"\xff\xd8\xff", b"just a text\n" * 50, b"\x89PNG\r\n\x1a\n"),
        *(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", b"<html>" * 99),
        *(b"%PDF-1.7\n%\xe2\xe3", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"8BPS\0\x01" + bytes(60)),
        *(b"GIF89a" + b"\xff" * 40, b"RIFF\xff\xff\xff\xffWEBPVP8 ", b"BM" + b"\xff" * 60),
        *(b"\0\0\0\x18ftypheic" + bytes(200), b"\0\0\0\x18ftypavif" + b"\xff" * 200),
        *(archive.getvalue(), jpeg + archive.getvalue(), b"GIF89a/*" + jpeg, jpeg * 2),
        *(moving, bomb, loop, png(2**31 - 1, 2**31 - 1), png(65_500, 65_500), png(0, 0)),
        *(png(1, 1), png(1, 20_000), png(20_000, 1), png(64, 64, depth=16)),
        png(64, 64, chunk(b"iCCP", b"x\0\0" + b"\xff" * 200)),
        png(64, 64, chunk(b"eXIf", b"MM\0*" + b"\xff" * 200)),
        *(saved(face, "PNG", pnginfo=text), saved(Image.fromarray(deep), "PNG")),
        saved(face, "JPEG", exif=b"Exif\0\0" + b"\xff" * 60_000),
        saved(face, "JPEG", icc_profile=b"\0" * 60_000),
        *(saved(face.convert("CMYK"), "JPEG"), saved(face, "TIFF", compression="tiff_lzw")),
        *(saved(face, "ICO"), saved(face, "TGA"), saved(face, "PCX")),
        *(saved(face.resize((1, 1)), "PNG"), saved(face.resize((1, 4000)), "JPEG"), jpeg),
    ]


def name_of(chance: random.Random, usual: str) -> str:
    return chance.choice(NAMES) if chance.random() < 0.1 else usual


def odd_pictures(count: int, seed: int) -> Iterator[Odd]:
    """The crafted ones, cuts of a good one, and then mutations of one of each format."""
    chance = random.Random(seed)
    crafted = crafted_pictures()
    good = crafted[-1]
    cuts = [good[: len(good) * tenth // 10] for tenth in range(1, 10)]
    files = make_files()
    for number in range(count):
        first = [*crafted, *cuts]
        content = first[number] if number < len(first) else damage(chance.choice(files), chance)
        yield Odd(name_of(chance, "photo.jpg"), content)


def odd_videos(count: int, seed: int, folder: Path) -> Iterator[Odd]:
    """Texts and stumps by the names of videos, cuts, and mutations of a clip in each container."""
    chance = random.Random(seed)
    clips = []
    for container, codec in CONTAINERS.items():
        frames = (astronaut(number / 5, 320, 180) for number in range(10))
        clips.append(write(folder / f"clip.{container}", frames, codec=codec, rate=5).read_bytes())
    crafted = [
        *(b"", b"\0", b"#EXTM3U\n#EXTINF:9,\n/etc/passwd\n", b"ffconcat version 1.0\nfile /x\n"),
        *(b"\0\0\0\x18ftypmp42" + bytes(200), b"\x1a\x45\xdf\xa3" + bytes(200)),
        *(b"RIFF\x20\0\0\0AVI LIST" + bytes(100), b"G" + bytes(187) * 20, b"\0\0\x01\xba" * 50),
        *(saved(Image.fromarray(skimage.data.astronaut()), "JPEG"), b"\0\0\0\x08moov" * 40),
        *(clip[: len(clip) // 2] for clip in clips),
        *(clips[0] + clips[1], clips[0][:64] + clips[3], clips[0].replace(b"avc1", b"hev1")),
        clips[0].replace(b"mvhd", b"free"),
    ]
    for number in range(count):
        fine = number < len(crafted)
        content = crafted[number] if fine else damage(chance.choice(clips), chance)
        yield Odd(name_of(chance, "clip.mp4"), content)
