"""100,000 faces as CSV, JSON Lines and Parquet: `make bench-exports`.

Starts a whole site, fills its database with photos and webcam sessions, and exports all of it in
each format over the API. Measures the time from the request to the finished file, then downloads
it and counts its rows. No format may take 30 s.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx

from benchmarks.memory import command_line, process_tree
from benchmarks.site import EMAIL, Site, running_site

LIMIT_SECONDS = 30.0
POLL_SECONDS = 0.1
FACES_A_PHOTO = 2
FACES_A_SESSION = 2000  # about two minutes of one face
SESSION_SHARE = 0.4  # of all faces
BATCH = 2000


def fill(count: int) -> None:
    """Creates a history with this many faces in photos and sessions; runs inside the site."""
    import django

    django.setup()
    import numpy as np
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from recognition.engine.emotions import EMOTIONS
    from recognition.models import Analysis, Face, Track
    from recognition.registry import registry

    owner = get_user_model().objects.get(email=EMAIL)
    version = registry.active_version()
    now, random = timezone.now(), np.random.default_rng(0)
    points = {name: [100.0, 100.0] for name in ("nose", "mouth_left", "mouth_right")}
    points |= {"left_eye": [80.0, 80.0], "right_eye": [120.0, 80.0]}
    in_sessions = round(count * SESSION_SHARE)

    def entries(kind: str, number: int) -> list[Analysis]:
        rows = [
            Analysis(
                owner=owner,
                kind=kind,
                status="succeeded",
                title=f"{kind} {index}.jpg",
                tags=["bench", f"day {index % 30}"],
                model_version=version,
                emotion="happy",
            )
            for index in range(number)
        ]
        Analysis.objects.bulk_create(rows, BATCH)
        for index, row in enumerate(rows):
            row.created_at = now - timedelta(minutes=index)
        Analysis.objects.bulk_update(rows, ["created_at"], 200)
        return rows

    def face(analysis: Analysis, track: Track | None, index: int) -> Face:
        shares = random.dirichlet(np.ones(len(EMOTIONS))).tolist()
        best = max(range(len(EMOTIONS)), key=shares.__getitem__)
        x, y, side = random.uniform(30, 900, 3).tolist()
        return Face(
            analysis=analysis,
            track=track,
            time=None if track is None else round(index / 15, 3),
            x=x,
            y=y,
            width=side,
            height=side,
            score=0.99,
            landmarks=points if track is None else {},
            probabilities=shares,
            emotion=EMOTIONS[best],
            probability=shares[best],
        )

    def write(faces: list[Face]) -> None:
        Face.objects.bulk_create(faces, BATCH)

    for session in entries("webcam", in_sessions // FACES_A_SESSION):
        track = Track.objects.create(analysis=session, number=1)
        write([face(session, track, index) for index in range(FACES_A_SESSION)])
    left = count - in_sessions // FACES_A_SESSION * FACES_A_SESSION
    photos = entries("image", -(-left // FACES_A_PHOTO))
    write([face(photos[index // FACES_A_PHOTO], None, index) for index in range(left)])


def rows_in_xlsx(content: bytes) -> int:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return book.read("xl/worksheets/sheet1.xml").count(b"<row ") - 1


def rows_in_parquet(content: bytes) -> int:
    from pyarrow import parquet

    return parquet.read_metadata(io.BytesIO(content)).num_rows


ROWS: dict[str, Callable[[bytes], int]] = {
    "csv": lambda content: content.count(b"\n") - 1,
    "csv_excel": lambda content: content.count(b"\n") - 1,
    "xlsx": rows_in_xlsx,
    "jsonl": lambda content: content.count(b"\n"),
    "parquet": rows_in_parquet,
}


def export(client: httpx.Client, format: str, count: int) -> float:
    """Seconds until the file is ready; checks its content."""
    started = time.perf_counter()
    answer = client.post("/api/v1/exports/", json={"format": format})
    assert answer.status_code == 202, answer.text
    state, seen = answer.json(), set()
    while state["status"] in {"queued", "running"}:
        time.sleep(POLL_SECONDS)
        state = client.get(answer.headers["Location"]).json()
        seen.add(state["rows_done"])
    seconds = time.perf_counter() - started
    assert state["status"] == "succeeded", state["error"]
    content = client.get(state["file_url"]).content
    loaded = time.perf_counter() - started - seconds
    rows = ROWS[format](content)
    assert rows == state["rows_done"] == count, f"{rows} rows of {count}"
    print(
        f"{format:8} {seconds:6.1f} s  {len(content) / 1e6:6.1f} MB  {count / seconds:8.0f} rows/s"
        f"  download {loaded:.1f} s  {len(seen)} different states seen (limit {LIMIT_SECONDS} s)"
    )
    return seconds


def worker_memory(site: Site) -> float:
    """Peak memory of the export worker in MB."""
    (pid,) = (pid for pid in process_tree(site.pid) if "-Q exports" in command_line(pid))
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"process {pid} reports no VmHWM")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--fill", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.fill:
        fill(arguments.faces)
        return 0
    with running_site() as site:
        client = site.sign_in()
        environment = {"MIEN_DATA": site.data_dir, "DJANGO_SETTINGS_MODULE": "fer_site.settings"}
        subprocess.run(
            [sys.executable, "-m", "benchmarks.exports", "--fill", f"--faces={arguments.faces}"],
            env=os.environ | environment,
            check=True,
        )
        usage = client.get("/api/v1/me/").json()["usage"]
        print(f"{json.dumps(usage)}; the worker before: {worker_memory(site):.0f} MB at most")
        seconds = [export(client, format, arguments.faces) for format in ROWS]
        print(f"the worker afterwards: {worker_memory(site):.0f} MB at most")
    return 0 if max(seconds) <= LIMIT_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
