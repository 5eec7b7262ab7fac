"""`python -m tests.recognition.engine.fuzzing COUNT [SEED]`: damaged photos through the engine.

Makes small files of every format and cuts them, flips their bits, and enlarges the numbers in their
headers. Each must be read or refused with a code. Prints a JSON object: how many had which outcome,
and the most memory that this process has used, in MB. Runs alone, so a crash ends only itself.
"""

import json
import random
import struct
import sys
from collections import Counter
from io import BytesIO
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

from recognition.engine.classifier import EmotionClassifier
from recognition.engine.detector import MtcnnDetector
from recognition.engine.errors import MediaError
from recognition.engine.media import decode_photo, inspect_photo
from recognition.engine.pipeline import analyze_image

VARIANTS: dict[str, list[tuple[str, dict]]] = {
    "JPEG": [("RGB", {}), ("RGB", {"progressive": True}), ("L", {}), ("CMYK", {})],
    "PNG": [("RGB", {}), ("RGBA", {}), ("P", {}), ("L", {})],
    "WEBP": [("RGB", {}), ("RGBA", {"lossless": True})],
    "GIF": [("P", {})],
    "BMP": [("RGB", {}), ("P", {})],
    "HEIF": [("RGB", {})],
    "AVIF": [("RGB", {})],
    "TIFF": [
        *(("RGB", {}), ("CMYK", {"compression": "tiff_lzw"}), ("RGB", {"compression": "jpeg"})),
        *(("L", {"compression": "packbits"}), ("RGB", {"compression": "tiff_adobe_deflate"})),
    ],
    "PPM": [("RGB", {}), ("L", {}), ("1", {})],
    "JPEG2000": [("RGB", {}), ("L", {"no_jp2": True})],
}


def make_files() -> list[bytes]:
    face = Image.fromarray(skimage.data.astronaut()[40:240, 120:320]).resize((96, 96))
    files = []
    for format, variants in VARIANTS.items():
        for mode, options in variants:
            file = BytesIO()
            face.convert(mode).save(file, format, **options)
            files.append(file.getvalue())
    return files


def damage(data: bytes, chance: random.Random) -> bytes:
    """The file after one to three accidents, most of them in its header."""
    broken = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        header = min(len(broken), 300 if chance.random() < 0.8 else len(broken))
        if header < 8:
            break
        at = chance.randrange(header - 4)
        kind = chance.choice(["cut", "flip", "flip", "enlarge", "enlarge", "repeat"])
        if kind == "cut":
            del broken[chance.randrange(len(broken)) :]
        elif kind == "flip":
            broken[at] ^= 1 << chance.randrange(8)
        elif kind == "enlarge":
            number = chance.choice([0xFF, 0xFFFF, 30_000, 65_500, 2**31 - 1, 2**32 - 1])
            form = chance.choice([">H", "<H", ">I", "<I"])
            struct.pack_into(form, broken, at, number & (0xFFFF if form[1] == "H" else 2**32 - 1))
        else:
            broken[at:at] = broken[at : at + chance.randint(1, 64)]
    return bytes(broken)


def main(count: int, seed: int) -> None:
    chance, files = random.Random(seed), make_files()
    detector, classifier = MtcnnDetector(), EmotionClassifier()
    outcomes: Counter[str] = Counter()
    for number in range(count):
        data = damage(files[number % len(files)], chance)
        try:
            inspect_photo(data, max_pixels=64_000_000)
            rgb, _header = decode_photo(data, min_side=3840, max_pixels=64_000_000)
            if rgb.size < 3_000_000:
                analyze_image(rgb, detector, classifier)
            outcomes["read" if rgb.dtype == np.uint8 and rgb.ndim == 3 else "wrong"] += 1
        except MediaError as error:
            outcomes[error.code] += 1
    print(json.dumps({"outcomes": outcomes, "most_mb": most_memory()}))


def most_memory() -> int:
    """The most memory that this process has had, in MB; without that of the one that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
