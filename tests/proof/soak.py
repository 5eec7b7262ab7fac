"""`python -m tests.proof.soak`: a busy site for minutes, or for hours, grows by nothing.

Four live sessions, uploads and a training go on. The memory of each process must not rise after a
warm-up, and no queue must grow. Before and after the measured time all but the training rests:
there must be as many open files, stored files without a row, entries in Redis and connections
after it as before.
"""

import argparse
import os
import random
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis

from benchmarks.uploads import photo
from tests.proof.chaos import key_of
from tests.proof.disturbed_training import API, CHOICES, Training
from tests.proof.live import Webcam
from tests.proof.report import Report, options_of
from tests.proof.site import ProofSite, proof_site, wait_for
from tests.proof.watch import Watch

LIVE = 4
LIMIT_SLOPE = 1.0  # MB a minute
WARM_UP = 0.4  # the share of the time that isn't measured
SPARE = 2  # files, messages or connections that come and go by themselves
QUEUES = ("analyses", "maintenance", "frames", "videos", "exports", "webhooks", "training")
WAITING = "SELECT count(*) FROM recognition_analysis WHERE status IN ('queued', 'running')"
MOST_WAITING = 10
EPOCHS_TO_WARM_UP = 10  # TensorFlow has all its memory by then, and not much earlier
SHORT_LIVED = ("video reader",)


def slope(points: list[tuple[float, float]]) -> float:
    """MB a minute: the median of the slopes between points half the time apart (Theil 1950).

    A step, such as a buffer that is allocated once, weighs little; what grows steadily counts.
    """
    half = len(points) // 2
    pairs = zip(points[:half], points[half:], strict=False)
    slopes = [60 * (b[1] - a[1]) / (b[0] - a[0]) for a, b in pairs if b[0] > a[0]]
    return statistics.median(slopes) if slopes else 0.0


class Load:
    """What goes on: live sessions and uploads, beside a training that never rests."""

    def __init__(self, site: ProofSite, client: Any, key: str, uploads: float, seed: int):
        self.site, self.client, self.uploads = site, client, uploads
        self.run = self._train(Training(site, client, 1).dataset)
        self.webcams = [Webcam(site, key, rate=5) for _ in range(LIVE)]
        self.photos = [photo(640, 640, seed * 1000 + number) for number in range(20)]
        self.chance = random.Random(seed)
        self.sent = 0
        self.refused: list[str] = []

    @contextmanager
    def going_on(self) -> Iterator[None]:
        done = threading.Event()
        threads = [threading.Thread(target=one.run, args=(done,)) for one in self.webcams]
        threads.append(threading.Thread(target=self._upload, args=(done,)))
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            done.set()
            for thread in threads:
                thread.join(60)
            self._wait_for_rest()

    def _train(self, dataset: str) -> str:
        """Start a training that is still going on in a day; its address once it has warmed up."""
        wanted = {**CHOICES, "dataset": dataset, "minutes": 24 * 60}
        answer = self.client.post(f"{API}/training-runs/", json=wanted).raise_for_status()
        address = f"{API}/training-runs/{answer.json()['id']}/"

        def is_warm() -> bool:
            return self.client.get(address).json()["epoch_count"] >= EPOCHS_TO_WARM_UP

        assert wait_for(is_warm, "the first epochs", 900), "the training did not begin"
        return address

    def _upload(self, done: threading.Event) -> None:
        headers = {"Content-Type": "image/jpeg"}
        while not done.wait(1 / self.uploads):
            if self.site.rows(WAITING)[0][0] >= MOST_WAITING:
                continue  # on a slow machine
            content = self.chance.choice(self.photos)
            answer = self.client.post(f"{API}/analyses/", content=content, headers=headers)
            self.sent += 1
            if answer.status_code != 202:
                self.refused.append(f"{answer.status_code} {answer.text[:200]}")

    def _wait_for_rest(self) -> None:
        rests = wait_for(lambda: not self.site.rows(WAITING)[0][0], "the site to rest", 400)
        assert rests, "the load didn't come to rest"
        time.sleep(12)  # sweeps of five seconds, idle connections, messages that expire


def count_all(site: ProofSite) -> dict[str, Counter[str]]:
    """What a site at rest holds: open files, files without a row, keys, connections."""
    files: Counter[str] = Counter()
    for pid, name in site.processes().items():
        files[name] += len(os.listdir(f"/proc/{pid}/fd"))
    socket = str(site.data_dir / "run" / "redis.sock")
    keys: Counter[str] = Counter()
    for number in (0, 1):
        with redis.Redis(unix_socket_path=socket, db=number) as client:
            for key in client.scan_iter(count=1000):
                if client.ttl(key) == -1:  # the others go by themselves
                    keys[f"{number}: {key.decode(errors='replace')[:40]}"] = size_of(client, key)
            connections = client.info("clients")["connected_clients"]
    return {
        "open files": files,
        "stored files without a row": Counter(left_over(site)),
        "entries in Redis": keys,
        "connections to Redis": Counter({"all": connections}),
    }


def size_of(client: Any, key: bytes) -> int:
    """How many entries a key of Redis holds."""
    count = {b"list": "llen", b"set": "scard", b"zset": "zcard", b"hash": "hlen"}
    kind = client.type(key)
    return getattr(client, count[kind])(key) if kind in count else 1


def left_over(site: ProofSite) -> list[str]:
    """The files in the data folder that belong to no row."""
    fields = ("source", "photo", "thumbnail", "media")
    query = " UNION ".join(f"SELECT {name} FROM recognition_analysis" for name in fields)
    query += " UNION SELECT file FROM recognition_export UNION SELECT sheet FROM training_dataset"
    query += " UNION SELECT picture FROM training_evaluation"
    query += "".join(
        f" UNION SELECT {name} FROM recognition_modelversion"
        for name in ("onnx", "int8", "weights", "keras")
    )
    known = {row[0] for row in site.rows(query)}
    media = site.data_dir / "media"
    stored = [str(path.relative_to(media)) for path in media.rglob("*") if path.is_file()]
    scratch = [
        str(path.relative_to(site.data_dir))
        for folder in ("uploads", "incoming")
        for path in (site.data_dir / folder).rglob("*")
    ]
    return [name for name in stored if name not in known] + scratch


def queue_lengths(site: ProofSite) -> int:
    socket = str(site.data_dir / "run" / "redis.sock")
    with redis.Redis(unix_socket_path=socket) as client:
        return sum(client.llen(f"mien:{name}") for name in QUEUES)


def grown(before: Counter[str], after: Counter[str], spare: int) -> list[str]:
    return [
        f"{name}: {before[name]} before, {count} after"
        for name, count in after.items()
        if count > before[name] + spare
    ]


def soak(options: argparse.Namespace, report: Report) -> None:
    minutes = options.minutes
    with proof_site(MIEN_LIVE_SESSIONS_PER_USER=str(LIVE)) as site:
        client = site.administrator()
        load = Load(site, client, key_of(client), options.uploads_per_second, options.seed)
        report.say(f"warm-up of {WARM_UP * minutes:.1f} minutes")
        with load.going_on():
            time.sleep(WARM_UP * minutes * 60)
        before = count_all(site)
        report.say(f"measured time of {(1 - WARM_UP) * minutes:.1f} minutes")
        lengths = []
        with Watch(site, every=2.0) as watch, load.going_on():
            began = time.monotonic()
            end = began + (1 - WARM_UP) * minutes * 60
            while time.monotonic() < end:
                time.sleep(1)
                lengths.append(queue_lengths(site))
            measured = {name: list(points) for name, points in watch.pss.items()}
        after = count_all(site)
        load.client.post(f"{load.run}cancel/")

        report.figure("uploads", load.sent)
        report.figure("live frames read", sum(s.results for w in load.webcams for s in w.sessions))
        slopes = {}
        for (name, pid), points in measured.items():
            whole = points[0][0] < began + 10 and points[-1][0] > end - 10
            if whole and len(points) > 5 and name not in SHORT_LIVED:
                slopes[f"{name} {pid}"] = round(slope(points), 2)
        report.figure("MB a minute", slopes)
        report.figure("MB at last", {f"{n} {p}": round(x[-1][1]) for (n, p), x in measured.items()})
        report.promise(
            f"no process grows by {LIMIT_SLOPE:g} MB a minute",
            [f"{name}: {rate} MB/min" for name, rate in slopes.items() if rate >= LIMIT_SLOPE],
        )
        third = len(lengths) // 3
        first, last = statistics.mean(lengths[:third]), statistics.mean(lengths[-third:])
        report.figure("messages in queues, first and last third", [round(first, 1), round(last, 1)])
        growing = [f"{first:.1f} to {last:.1f}"] if last > 2 * first + MOST_WAITING else []
        report.promise("no queue grows", growing)
        report.figure("queued at last", queue_lengths(site))
        for name in before:
            spare = 0 if name == "stored files without a row" else SPARE
            totals = [sum(before[name].values()), sum(after[name].values())]
            report.figure(f"{name}, before and after", totals)
            report.promise(f"no more {name} than before", grown(before[name], after[name], spare))
        report.promise("each upload was accepted", load.refused)
        report.promise("no process has died", site.deaths())
        report.promise("no other machine was asked for", site.asked_for())


def main() -> int:
    parser = options_of(__doc__)
    minutes = float(os.environ.get("SOAK_MINUTES", "5"))
    parser.add_argument("--minutes", type=float, default=minutes, help="or SOAK_MINUTES; 5")
    parser.add_argument("--uploads-per-second", type=float, default=1)
    options = parser.parse_args()
    report = Report("soak", vars(options))
    soak(options, report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
