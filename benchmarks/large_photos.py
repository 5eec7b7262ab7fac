"""Large photos, small faces and second looks: time and memory of one worker's engine.

    make bench-large_photos

Makes photos of up to 200 megapixels of scikit-image's astronaut, decodes and analyzes each in a new
process like a worker, and prints seconds and the most memory. Then a panorama of 8000 x 4000 pixels
with 24 small faces, and what the looks at pale and tightly cropped pictures add to the time of a
photo without a face.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

from recognition.engine import media, pipeline
from recognition.engine.classifier import EmotionClassifier
from recognition.engine.detector import MtcnnDetector
from recognition.engine.detectors import open_detector
from recognition.engine.errors import MediaError
from recognition.engine.examiner import Examiner
from recognition.engine.pyramid import fit
from tests.processes import ROOT

STORED_SIDE, MAX_PIXELS = 4096, 64_000_000
LIMIT_MB, LIMIT_SECONDS, LIMIT_PANORAMA, LIMIT_RATIO = 600, 2.0, 5.0, 1.5


def write_photos(folder: Path) -> dict[str, Path]:
    """Photos of each kind, by what they are."""
    Image.MAX_IMAGE_PIXELS = None
    portrait = Image.fromarray(skimage.data.astronaut())
    kinds: dict[str, tuple[tuple[int, int], str, dict]] = {
        "JPEG, 200 megapixels": ((16320, 12240), "JPEG", {}),
        "JPEG, 108 megapixels": ((12000, 9000), "JPEG", {}),
        "JPEG, 108 megapixels, progressive": ((12000, 9000), "JPEG", {"progressive": True}),
        "HEIC, 48 megapixels": ((8000, 6000), "HEIF", {"quality": 60}),
        "PNG, 48 megapixels": ((8000, 6000), "PNG", {"compress_level": 1}),
        "TIFF, 48 megapixels": ((8000, 6000), "TIFF", {"compression": "tiff_lzw"}),
        "JPEG 2000, 24 megapixels": ((5600, 4200), "JPEG2000", {}),
    }
    paths = {}
    for number, (name, (size, format, options)) in enumerate(kinds.items()):
        paths[name] = folder / f"{number}.photo"
        portrait.resize(size).save(paths[name], format, **options)
    panorama = Image.new("RGB", (8000, 4000), (120, 130, 140))
    small = portrait.resize((500, 500))
    for number in range(24):
        panorama.paste(small, (100 + number % 8 * 980, 200 + number // 8 * 1250))
    paths["panorama"] = folder / "panorama.photo"
    panorama.save(paths["panorama"], "JPEG", quality=92)
    return paths


def analyze_one(path: Path, detail: str) -> None:
    """In a process of its own: analyze a photo as a worker does, and print the figures."""
    detector, classifier, examiner = open_detector(), EmotionClassifier(), Examiner(irises=True)
    content, started = path.read_bytes(), time.perf_counter()
    result: dict[str, object] = {}
    try:
        side = STORED_SIDE * 15 // 16
        rgb, header = media.decode_photo(content, min_side=side, max_pixels=MAX_PIXELS)
        searching = pipeline.for_detail(detector, detail)  # type: ignore[arg-type]
        found = pipeline.analyze_image(rgb, searching, classifier, examiner=examiner)
        found = pipeline.enlarge(found, header.width, header.height)
        stored = fit(rgb, STORED_SIDE)
        media.encode_jpeg(stored)
        media.make_thumbnail(stored)
        widths = [face.detection.box.width for face in found.faces]
        result = {"faces": len(widths), "width": statistics.mean(widths) if widths else 0}
    except MediaError as error:
        result = {"refused": error.message}
    status = Path("/proc/self/status").read_text()
    memory = int(status.partition("VmHWM:")[2].split()[0]) // 1024
    print(json.dumps({**result, "seconds": time.perf_counter() - started, "mb": memory}))


def analyze(path: Path, detail: str = "normal") -> dict:
    command = [sys.executable, "-m", "benchmarks.large_photos", str(path), detail]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict = json.loads(done.stdout)
    return found


def median_ms(call: Callable[[], object], times: int = 25) -> float:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1000


def second_looks() -> float:
    """The highest ratio of the time of a photo without a face to that without the new looks."""
    without = type("Before", (MtcnnDetector,), {})()
    nothing = without._look_at_extended.__globals__["_NOTHING"]
    without._look_at_stretched = without._look_at_extended = lambda picture: nothing
    detector = MtcnnDetector()
    coffee = np.asarray(Image.fromarray(skimage.data.coffee()).resize((640, 427)))
    ratios = []
    for name, levels in {"coffee": coffee, "pale coffee": coffee // 8 + 100}.items():
        picture = levels.astype(np.uint8)
        assert detector.detect(picture) == []
        after, before = (median_ms(partial(one.detect, picture)) for one in (detector, without))
        ratios.append(after / before)
        print(
            f"{name}: {after:.1f} ms, without the new looks {before:.1f} ms, "
            f"{after / before:.2f} times"
        )
    return max(ratios)


def main() -> int:
    met = True
    with tempfile.TemporaryDirectory() as folder:
        paths = write_photos(Path(folder))
        panorama = paths.pop("panorama")
        print("| photo | faces | seconds | MB |\n| --- | --- | --- | --- |")
        for name, path in paths.items():
            found = analyze(path)
            print(
                f"| {name} | {found.get('faces', 'refused')} | {found['seconds']:.2f} | "
                f"{found['mb']} |"
            )
            met &= found["mb"] <= LIMIT_MB
            met &= found["seconds"] <= LIMIT_SECONDS or not name.startswith("JPEG,")
        for detail in ("normal", "high"):
            found = analyze(panorama, detail)
            print(
                f"panorama, {detail} detail: {found['faces']} of 24 faces, "
                f"{found['width']:.0f} pixels wide, {found['seconds']:.2f} s, {found['mb']} MB"
            )
        met &= found["faces"] == 24 and found["seconds"] <= LIMIT_PANORAMA
        met &= found["mb"] <= LIMIT_MB
    met &= second_looks() <= LIMIT_RATIO
    return 0 if met else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        analyze_one(Path(sys.argv[1]), sys.argv[2])
    else:
        sys.exit(main())
