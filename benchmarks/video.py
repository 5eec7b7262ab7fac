"""Videos on a whole site: speed, memory, latency, crashes, interrupted uploads.

    make bench-video                                   (10 minutes of video, 1 GB to upload)
    make bench-video ARGS="--only speed memory"        (some of them)
    make bench-video ARGS="--minutes 60"

The clip shows skimage's astronaut, who moves, at 1280 x 720 and 30 frames a second.
MIEN_TEST_VIDEOS names a folder of videos to read besides. Kills only processes that it started.
"""

import argparse
import base64
import hashlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import httpx
import numpy as np
import psutil
import skimage.data

from benchmarks.against_fer import ROOT, make_environment
from benchmarks.memory import command_line, process_tree, pss_mb
from benchmarks.relay import Relay
from benchmarks.site import Site, running_site
from tests.conftest import encode

SIZE, RATE, LOOP = (1280, 720), 30, 60
PIECE = 7 * 1024**2
TUS = {"Tus-Resumable": "1.0.0"}

LIMITS = {
    "5 frames a second, x real time": (20, ">="),
    "every frame, x real time": (6, ">="),
    "worker memory, MB": (450, "<="),
    "memory, long / short": (1.1, "<="),
    "second half of the time / first": (1.1, "<="),
    "first points of the chart, s": (3, "<="),
    "photo during a video, median s": (2, "<="),
    "time with kills / without": (1.3, "<="),
    "bytes sent / bytes of the file": (1.05, "<="),
    "frames a second / those of fer": (4, ">="),
    # The first two limits were set where the engine alone reached 13 and 4 x real time.
    "5 frames a second, site / engine": (20 / 13, ">="),
    "every frame, site / engine": (6 / 4, ">="),
}
results: dict[str, float] = {}


def note(name: str, value: float) -> None:
    results[name] = value
    limit = LIMITS.get(name)
    against = f"   limit {limit[1]} {limit[0]:.3g}" if limit else ""
    print(f"{name:45} {value:8.2f}{against}", flush=True)


def draw(path: Path, seconds: int = LOOP) -> None:
    """A minute that can be repeated: it ends as it begins."""
    portrait = skimage.data.astronaut()
    rng = np.random.default_rng(0)
    wall = cv2.resize(rng.integers(60, 120, (9, 16, 3)).astype(np.uint8), SIZE)
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for number in range(seconds * RATE):
            angle = 2 * np.pi * number / (seconds * RATE)
            picture = wall.copy()
            x, y = 350 + 150 * np.sin(9 * angle), 80 + 40 * np.sin(13 * angle)
            scale, turn = 1 + 0.15 * np.sin(7 * angle), 0.05 * np.sin(10 * angle)
            move = np.array([[scale, turn, x], [-turn, scale, y]], np.float32)
            cv2.warpAffine(portrait, move, SIZE, picture, borderMode=cv2.BORDER_TRANSPARENT)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        file.mux(stream.encode())


def repeat(loop: Path, path: Path, minutes: int) -> None:
    """The loop so many times, without encoding it again."""
    with av.open(str(path), "w") as target:
        copy: Any = None
        for turn in range(minutes):
            with av.open(str(loop)) as source:
                stream = source.streams.video[0]
                copy = copy or target.add_stream_from_template(stream)
                shift = round(turn * LOOP / stream.time_base)
                for packet in source.demux(stream):
                    if packet.dts is None:
                        continue
                    packet.dts += shift
                    packet.pts += shift
                    packet.stream = copy
                    target.mux(packet)


def begin(client: httpx.Client, path: Path, **options: str) -> str:
    """The address of a new upload."""
    metadata = {"filename": path.name, **options}
    pairs = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in metadata.items())
    headers = {**TUS, "Upload-Length": str(path.stat().st_size), "Upload-Metadata": pairs}
    return client.post("/api/v1/uploads/", headers=headers).headers["Location"]


def upload(client: httpx.Client, path: Path, **options: str) -> str:
    """The id of the analysis of a video that was sent in pieces."""
    address, offset, done = begin(client, path, **options), 0, ""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            kind = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
            response = client.patch(address, content=piece, headers={**TUS, **kind})
            assert response.status_code == 204, response.text
            offset, done = offset + len(piece), response.headers.get("Mien-Analysis", "")
    return done


def state(client: httpx.Client, pk: str) -> dict[str, Any]:
    for _ in range(200):
        try:
            return client.get(f"/api/v1/analyses/?id={pk}").json()["results"][0]
        except (httpx.TransportError, KeyError, ValueError):  # while something is being restarted
            time.sleep(0.2)
    raise AssertionError("the site does not answer")


def wait(client: httpx.Client, pk: str, look: Callable[[], object] = lambda: None) -> float:
    """Seconds until the video has been read."""
    started = time.monotonic()
    while (now := state(client, pk))["status"] in {"queued", "running"}:
        look()
        time.sleep(0.25)
    assert now["status"] == "succeeded", now["error"]
    return time.monotonic() - started


def readers(site: Site) -> list[int]:
    return [p for p in process_tree(site.pid) if "recognition.engine.reader" in command_line(p)]


def measure_speed(site: Site, client: httpx.Client, clip: Path, minutes: int) -> None:
    for fps, words in (("5", "5 frames a second"), ("all", "every frame")):
        seconds = wait(client, upload(client, clip, fps=fps))
        note(f"{words}, x real time", 60 * minutes / seconds)
    for path in sorted(Path(os.environ.get("MIEN_TEST_VIDEOS") or "none").glob("*.*")):
        pk = upload(client, path)
        seconds = wait(client, pk)
        length = state(client, pk)["seconds"]
        print(f"  {path.name}: {length / seconds:.1f} x real time")


def measure_memory(site: Site, client: httpx.Client, loop: Path, clip: Path) -> None:
    """Of the process that reads, at its highest; and whether it slows down."""
    peaks = []
    for path in (loop, clip):
        for pid in readers(site):
            psutil.Process(pid).kill()  # each measurement begins with fresh ones
        highest = 0.0

        def look() -> None:
            nonlocal highest
            for pid in readers(site):
                try:
                    highest = max(highest, pss_mb(pid))
                except (OSError, ValueError):
                    continue

        pk = upload(client, path)
        marks: dict[float, float] = {}
        while (now := state(client, pk))["status"] in {"queued", "running"}:
            look()
            share = (now["video"] or {}).get("share", 0)
            for mark in (0.05, 0.5, 0.95):
                if share >= mark:
                    marks.setdefault(mark, time.monotonic())
            time.sleep(0.2)
        assert now["status"] == "succeeded", now["error"]
        peaks.append(highest)
    note("worker memory, MB", max(peaks))
    note("memory, long / short", peaks[1] / peaks[0])
    halves = marks[0.95] - marks[0.5], marks[0.5] - marks[0.05]
    note("second half of the time / first", halves[0] / halves[1])


def measure_latency(site: Site, client: httpx.Client, clip: Path) -> None:
    pk = upload(client, clip)
    started = time.monotonic()
    while not client.get(f"/api/v1/analyses/{pk}/series/").json()["series"]:
        time.sleep(0.05)
    note("first points of the chart, s", time.monotonic() - started)
    photo = encode(skimage.data.astronaut())
    times = []
    while state(client, pk)["status"] == "running" and len(times) < 20:
        begun = time.monotonic()
        headers = {"Prefer": "wait=20", "Content-Type": "image/jpeg"}
        answer = client.post("/api/v1/analyses/", content=photo, headers=headers)
        assert answer.status_code == 200, answer.text
        times.append(time.monotonic() - begun)
        time.sleep(0.3)
    note("photo during a video, median s", statistics.median(times))
    wait(client, pk)


def measure_kills(site: Site, client: httpx.Client, clip: Path) -> None:
    """The worker of videos dies every 20 seconds."""
    plain = wait(client, upload(client, clip, fps="all"))
    pk = upload(client, clip, fps="all")
    started = killed_at = time.monotonic()
    kills = 0

    def look() -> None:
        nonlocal killed_at, kills
        if time.monotonic() - killed_at > 20:
            killed_at = time.monotonic()
            for pid in process_tree(site.pid):
                if "-Q videos" in command_line(pid):
                    os.kill(pid, signal.SIGKILL)
                    kills += 1

    wait(client, pk, look)
    seconds = time.monotonic() - started
    now = state(client, pk)
    lost = now["video"]["planned"] - now["frame_count"] - sum(now["video"]["missing"].values())
    print(f"  {kills} processes killed in {seconds:.0f} s; without kills it takes {plain:.0f} s")
    note("instants missing or double", lost)
    note("time with kills / without", seconds / plain)


def measure_upload(site: Site, client: httpx.Client, loop: Path, folder: Path, size: int) -> None:
    """A large upload whose connection is cut five times: only the broken piece is sent again."""
    path = folder / "large.mp4"
    with path.open("wb") as file:
        file.write(loop.read_bytes())
        for _ in range((size - file.tell()) // 2**20):  # a box that players skip
            file.write(b"\0\x10\0\0free" + os.urandom(2**20 - 8))
    length = path.stat().st_size
    with path.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    relay = Relay(int(site.url.rpartition(":")[2]))
    relay.start()
    other = httpx.Client(base_url=f"http://127.0.0.1:{relay.port}", timeout=30)
    other.cookies, other.headers = client.cookies, client.headers
    address = begin(client, path, sha256=checksum).removeprefix(site.url)
    cuts = iter([length * part // 6 for part in range(1, 6)])
    relay.cut_after, offset, started = next(cuts), 0, time.monotonic()
    with path.open("rb") as file:
        while offset < length:
            file.seek(offset)
            kind = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
            try:
                response = other.patch(address, content=file.read(PIECE), headers={**TUS, **kind})
                assert response.status_code == 204, response.text
                offset = int(response.headers["Upload-Offset"])
            except httpx.TransportError:
                offset = int(client.head(address, headers=TUS).headers["Upload-Offset"])
                relay.cut_after = next(cuts, 0)
    print(f"  {length / 1024**2:.0f} MB in {time.monotonic() - started:.0f} s, checksum verified")
    note("bytes sent / bytes of the file", relay.sent / length)
    client.post(f"/api/v1/analyses/{response.headers['Mien-Analysis']}/cancel/")


# Frames a second of fer's own Video, which reads every frame.
FER_SCRIPT = """
import os, sys, time
from fer.classes import Video
from fer.fer import FER
sys.argv[1:] = map(os.path.abspath, sys.argv[1:])
os.makedirs(sys.argv[2], exist_ok=True)
os.chdir(sys.argv[2])  # it leaves a table where it runs
video, detector = Video(sys.argv[1], outdir=sys.argv[2]), FER(mtcnn=False)
started = time.perf_counter()
frames = video.analyze(detector, save_frames=False, save_video=False, annotate_frames=False,
                       zip_images=False)
print(len(frames) / (time.perf_counter() - started))
"""
# The same by the engine.
MIEN_SCRIPT = """
import sys, time
from pathlib import Path
from recognition.engine.classifier import EmotionClassifier
from recognition.engine.clips import sample_faces
from recognition.engine.detector import MtcnnDetector
from recognition.engine.video import inspect_video
path, fps = Path(sys.argv[1]), float(sys.argv[2]) or None
header, detector = inspect_video(path), MtcnnDetector(max_side=1280, second_look=False)
classifier, started = EmotionClassifier(), time.perf_counter()
frames = sum(1 for _ in sample_faces(path, header, detector, classifier, fps=fps))
print(frames / (time.perf_counter() - started))
"""


def on_one_core(python: str | Path, script: str, *arguments: object) -> float:
    """What a program prints last, run on one core."""
    command = ["taskset", "-c", str(max(os.sched_getaffinity(0))), str(python), "-c", script]
    done = subprocess.run(
        [*command, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])


def measure_engine(loop: Path) -> None:
    """The engine alone on one core: what the site's speed can be compared with."""
    for name, fps in (("5 frames a second", 5), ("every frame", 0)):
        speed = on_one_core(sys.executable, MIEN_SCRIPT, loop, fps) / (fps or RATE)
        note(f"engine, {name}, x real time", speed)
        if whole := results.get(f"{name}, x real time"):
            note(f"{name}, site / engine", whole / speed)


def measure_fer(folder: Path) -> None:
    """The engine and fer's Video in turns, every frame of 10 seconds."""
    clip = folder / "short.mp4"
    draw(clip, 10)
    python = make_environment()
    mien = [on_one_core(sys.executable, MIEN_SCRIPT, clip, 0)]
    fer = on_one_core(python, FER_SCRIPT, clip, folder / "fer")
    mien.append(on_one_core(sys.executable, MIEN_SCRIPT, clip, 0))
    print(f"  frames a second on one core: {statistics.mean(mien):.1f}, fer {fer:.1f}")
    note("frames a second / those of fer", statistics.mean(mien) / fer)


PARTS = ("speed", "engine", "fer", "memory", "latency", "kills", "upload")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--upload-mb", type=int, default=1024)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mien-bench-") as name, running_site() as site:
        folder = Path(name)
        loop, clip = folder / "loop.mp4", folder / "clip.mp4"
        draw(loop)
        repeat(loop, clip, options.minutes)
        client = site.sign_in()
        if "speed" in options.only:
            measure_speed(site, client, clip, options.minutes)
        if "engine" in options.only:
            measure_engine(loop)
        if "fer" in options.only:
            measure_fer(folder)
        if "memory" in options.only:
            measure_memory(site, client, loop, clip)
        if "latency" in options.only:
            measure_latency(site, client, clip)
        if "kills" in options.only:
            measure_kills(site, client, clip)
        if "upload" in options.only:
            measure_upload(site, client, loop, folder, options.upload_mb * 1024**2)
    missed = [
        name
        for name, value in results.items()
        if name in LIMITS
        and not (value >= LIMITS[name][0] if LIMITS[name][1] == ">=" else value <= LIMITS[name][0])
    ]
    print(f"Missed: {', '.join(missed)}" if missed else "Every limit was met.")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
