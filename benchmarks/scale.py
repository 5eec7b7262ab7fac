"""Photos a second with 1, 2 and 4 analysis workers, and with few and many rows: `make bench-scale`.

Workers are processes of one child each on this machine, so more of them than cores gain nothing.
With `--s3` the same photos go through object storage (a test server in a process of its own), for
the difference to the folder.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from benchmarks.backup import FILL, run
from benchmarks.uploads import photo
from tests.conftest import LiveSite
from tests.processes import Process, free_port, start_worker, wait_until

CONNECTIONS = 4
LOGIN = {"login": "admin@example.org", "password": "a long enough password"}


def sign_in(url: str) -> httpx.Client:
    """A client of the administrator that `fill` creates."""
    client = httpx.Client(base_url=url, timeout=120)
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', client.get("/accounts/login/").text)
    assert token
    form = {"csrfmiddlewaretoken": token[1], **LOGIN}
    assert client.post("/accounts/login/", data=form).status_code == 302
    client.headers["X-CSRFToken"] = client.cookies["csrftoken"]
    return client


def measure(folder: Path, workers: int, rows: int, photos: int, **environment: str) -> None:
    """Print the photos a second of a new site, and the time of one photo alone."""
    data_dir = Path(tempfile.mkdtemp(dir=folder))
    run(data_dir, "-c", FILL, str(rows), **environment)
    site = LiveSite(data_dir, MIEN_API_REQUESTS_PER_MINUTE="1000000", **environment)
    others = [
        start_worker(data_dir / f"more-{number}.log", "analyses", **site.environment)
        for number in range(workers - 1)
    ]
    try:
        client = sign_in(site.url)

        def upload(number: int) -> float:
            began = time.perf_counter()
            answer = client.post(
                "/api/v1/analyses/",
                content=photo(640, 480, number),
                headers={"Content-Type": "image/jpeg", "Prefer": "wait=60"},
            )
            assert answer.json()["analyses"][0]["status"] == "succeeded", answer.text
            return time.perf_counter() - began

        for number in range(2 * workers):  # each loads its networks
            upload(number)
        alone = [upload(number) for number in range(10)]
        began = time.perf_counter()
        with ThreadPoolExecutor(CONNECTIONS * workers) as pool:
            list(pool.map(upload, range(100, 100 + photos)))
        rate = photos / (time.perf_counter() - began)
        where = "bucket" if environment else "folder"
        print(
            f"{workers} workers, {rows:>7,} rows, {where}: {rate:5.1f} photos/s, one alone "
            f"{statistics.median(alone) * 1000:.0f} ms, p95 "
            f"{statistics.quantiles(alone, n=20)[-1] * 1000:.0f} ms",
            flush=True,
        )
    finally:
        for process in others:
            process.kill()
        site.stop()


def bucket(folder: Path) -> tuple[Process, dict[str, str]]:
    """A test server with a bucket, and the settings that name it."""
    port = free_port()
    server = Process([sys.executable, "-m", "moto.server", "-p", str(port)], folder / "moto.log")
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx.put(f"{url}/mien").is_success
        except httpx.TransportError:
            return False

    wait_until(answers, "the server of the bucket")
    keys = {"MIEN_S3_ACCESS_KEY": "key", "MIEN_S3_SECRET_KEY": "secret"}
    return server, {"MIEN_S3_BUCKET": "mien", "MIEN_S3_ENDPOINT": url, **keys}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=100)
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000, 100_000])
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--s3", action="store_true")
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    version = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip()
    print(f"{cores} cores, {version}")
    with tempfile.TemporaryDirectory(prefix="mien-bench-") as folder:
        for workers in options.workers:
            measure(Path(folder), workers, options.rows[0], options.photos)
        for rows in options.rows[1:]:
            measure(Path(folder), options.workers[0], rows, options.photos)
        if options.s3:
            server, environment = bucket(Path(folder))
            try:
                args = options.workers[0], options.rows[0], options.photos
                measure(Path(folder), *args, **environment)
            finally:
                server.kill()


if __name__ == "__main__":
    main()
