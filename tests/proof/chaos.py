"""`python -m tests.proof.chaos`: work goes on while every process of the site is killed.

Uploads, videos, a kept live session and a training run while web, workers, beat, Redis and
PostgreSQL get SIGKILL at random moments. Afterwards each accepted job must have ended exactly once,
the training must have learned what an undisturbed one with the same seed learned, and the kept
sessions' rows must fit together.
"""

import argparse
import json
import random
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import psycopg
from mien_client import Mien, MienError

from benchmarks.uploads import photo
from tests.proof.disturbed_training import Training
from tests.proof.live import Webcam
from tests.proof.report import Report, options_of
from tests.proof.site import ProofSite, proof_site, wait_for
from tests.recognition.engine.clips import astronaut, write

SENDERS = 6  # uploads at the same time, from programs that try again
PATIENCE = 300.0  # seconds that a program tries again
TEMPORARY = {429, 502, 503, 504}
MOST_ATTEMPTS = 3
RECOVERY = 90.0  # seconds, at most, until something has been done after a round
VIDEO_SECONDS, VIDEO_FPS = 10, 5
TARGETS = (
    *("web", "worker-frames", "worker-analyses", "worker-videos", "worker-exports"),
    *("beat", "redis", "video reader"),
)
"""What is killed in each round; the training has a killer of its own."""


class Killer:
    """Kills at random moments, and remembers what."""

    def __init__(self, site: ProofSite, report: Report, seed: int):
        self.site, self.report, self.chance = site, report, random.Random(seed)
        self.killed: Counter[str] = Counter()
        self.share = 0.0  # of the killing that is done
        self.targets = [*TARGETS, *(["postgres"] if site.postgres else [])]

    def kill(self, name: str) -> None:
        if self.site.kill(name, self.chance):
            self.killed[name] += 1

    def rounds(self, count: int, seconds: float) -> None:
        """In each round each target once, in any order and at any moment.

        The next one begins when some work has been done since: a slow machine gets nowhere if all
        is killed again while it starts.
        """
        for number in range(1, count + 1):
            began, ended = time.monotonic(), self.ended()
            moments = sorted((self.chance.uniform(0, seconds), name) for name in self.targets)
            for moment, name in moments:
                time.sleep(max(0.0, began + moment - time.monotonic()))
                self.kill(name)
                self.share = (number - 1 + moment / seconds) / count
            self.share = number / count
            self.report.say(f"round {number}: {', '.join(name for _moment, name in moments)}")
            time.sleep(max(0.0, began + seconds - time.monotonic()))
            wait_for(lambda before=ended: self.ended() > before, "some work", RECOVERY)

    def singly(self, count: int, seconds: float) -> None:
        """Any one target, so often."""
        for number in range(1, count + 1):
            time.sleep(self.chance.uniform(0.5, 1.5) * seconds)
            self.kill(self.chance.choice(self.targets))
            self.share = number / count
            if number % 10 == 0:
                self.report.say(f"{number} killed")

    def ended(self) -> int:
        """How many analyses have ended; 0 while the database doesn't answer."""
        query = "SELECT count(*) FROM recognition_analysis WHERE status = 'succeeded'"
        with suppress(sqlite3.OperationalError, psycopg.Error):
            return int(self.site.rows(query)[0][0])
        return 0

    def wait_for(self, share: float) -> None:
        """Until so much of the killing is done."""
        while self.share < share:
            time.sleep(0.1)


def make_clip(folder: Path) -> Path:
    frames = (astronaut(number / 10) for number in range(VIDEO_SECONDS * 10))
    return write(folder / "clip.mp4", frames, rate=10)


def send(site: ProofSite, key: str, number: int) -> str:
    """Upload a photo like a program that tries again; its analysis. Raises MienError."""
    content = photo(480, 480, number)
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "image/jpeg",
        "Content-Disposition": f"attachment; filename=chaos-{number}.jpg",
        "Idempotency-Key": f"chaos-{number}",
    }
    deadline, problem = time.monotonic() + PATIENCE, ""
    while time.monotonic() < deadline:
        try:
            address = f"{site.url}/api/v1/analyses/"
            answer = httpx.post(address, content=content, headers=headers, timeout=30)
        except httpx.TransportError as error:
            problem = repr(error)
        else:
            if answer.is_success:
                return str(answer.json()["analyses"][0]["id"])
            problem = f"{answer.status_code} {answer.text[:200]}"
            if answer.status_code not in TEMPORARY and "request_in_progress" not in problem:
                break
        time.sleep(1)
    raise MienError(f"chaos-{number}.jpg: {problem}")


def send_video(site: ProofSite, key: str, clip: Path, number: int) -> str:
    """Send a video in pieces, by the client; its analysis."""
    with Mien(site.url, key, retry_seconds=PATIENCE) as mien:
        return mien.analyze_video(clip, title=f"chaos-{number}.mp4", timeout=2 * PATIENCE).id


def key_of(client: httpx.Client) -> str:
    wanted = {"name": "proof", "scopes": ["read", "analyze", "train"]}
    return client.post("/api/v1/keys/", json=wanted).raise_for_status().json()["key"]


def chaos(options: argparse.Namespace, report: Report, folder: Path) -> None:
    with proof_site(options.database, MIEN_LEASE_SECONDS="5") as site:
        report.figure("database", site.database)
        client = site.administrator()
        key = key_of(client)
        # Each end of an analysis is a row for this webhook, which nobody answers.
        client.post("/api/v1/webhooks/", json={"url": "http://127.0.0.1:9/"}).raise_for_status()
        clip = make_clip(folder)
        training = Training(site, client, options.epochs) if options.epochs else None
        if training:
            report.say("an undisturbed training first")
            training.learn_undisturbed()
        killer = Killer(site, report, options.seed)
        webcam = Webcam(site, key, keep=True)
        done = threading.Event()
        with ThreadPoolExecutor(SENDERS + options.videos + 2) as pool:
            gate = threading.Semaphore(SENDERS)

            def send_in_turn(number: int) -> str:
                with gate:
                    killer.wait_for(number / options.uploads)
                    return send(site, key, number)

            def send_video_in_turn(number: int) -> str:
                killer.wait_for(number / options.videos)
                return send_video(site, key, clip, number)

            live = pool.submit(webcam.run, done)
            disturbed = pool.submit(training.learn_disturbed, killer, done) if training else None
            videos = [pool.submit(send_video_in_turn, number) for number in range(options.videos)]
            photos = [pool.submit(send_in_turn, number) for number in range(options.uploads)]
            try:
                if options.kills:
                    killer.singly(options.kills, options.kill_seconds)
                else:
                    killer.rounds(options.rounds, options.round_seconds)
                report.say("nothing more is killed")
                accepted = outcomes(photos), outcomes(videos)
            finally:
                killer.share = 1.0
                done.set()
            live.result(60)
            if disturbed:
                disturbed.result()
        report.figure("SIGKILLs", sum(killer.killed.values()))
        report.figure("killed", dict(killer.killed))
        check_jobs(site, report, options, *accepted)
        webcam.check(report)
        if training:
            training.check(report)
        report.promise("the site answers afterwards", [] if site.answers() else ["it doesn't"])
        report.promise("no other machine was asked for", site.asked_for())


def outcomes(futures: list[Future[str]]) -> list[str | MienError]:
    """What each upload came to: its analysis, or the error that its program met."""
    found: list[str | MienError] = []
    for future in futures:
        try:
            found.append(future.result(3 * PATIENCE))
        except MienError as error:
            found.append(error)
    return found


def check_jobs(site: ProofSite, report: Report, options, photos: list, videos: list) -> None:  # type: ignore[no-untyped-def]
    """Every accepted job has ended, once, and left what one job leaves."""
    unended = "SELECT count(*) FROM {} WHERE status IN ('queued', 'running')"
    tables = ("analysis", "videopart", "export")

    def all_ended() -> bool:
        return not any(site.rows(unended.format(f"recognition_{table}"))[0][0] for table in tables)

    ended = wait_for(all_ended, "the last job", 600)
    report.promise("each accepted job has ended", [] if ended else ["some are still queued"])
    refused = [one for one in (*photos, *videos) if isinstance(one, MienError)]
    report.promise("each program got its answer", refused)

    query = "SELECT id, title, kind, status, error_code, attempts FROM recognition_analysis"
    rows = [row for row in site.rows(query) if row[2] != "webcam"]
    report.figure("ends", dict(Counter(f"{row[2]} {row[3]} {row[4]}".strip() for row in rows)))
    titles = Counter(row[1] for row in rows)
    wanted = {f"chaos-{number}.jpg" for number in range(options.uploads)}
    wanted |= {f"chaos-{number}.mp4" for number in range(options.videos)}
    report.promise("none is lost", sorted(wanted - titles.keys()))
    report.promise("none is there twice", [one for one, count in titles.items() if count > 1])
    given_up = [row for row in rows if row[3:] == ("failed", "gave_up", MOST_ATTEMPTS)]
    report.figure("given up after three attempts that were killed", len(given_up))
    others = [row for row in rows if row[3] != "succeeded" and row not in given_up]
    report.promise("each has succeeded, or was killed in each of its three attempts", others)

    told: Counter[str] = Counter()
    for (body,) in site.rows(
        "SELECT body FROM programs_delivery".replace("programs", "recognition")
    ):
        told[(json.loads(body) if isinstance(body, str) else body)["analysis"]["id"]] += 1
    ids = {str(row[0]).replace("-", "") for row in rows}
    ends = {name.replace("-", ""): count for name, count in told.items()}
    report.promise("each ended once", [one for one in ids if ends.get(one) != 1])

    counted = (
        "SELECT a.title, a.face_count, count(f.id) FROM recognition_analysis a "
        "LEFT JOIN recognition_face f ON f.analysis_id = a.id "
        "WHERE a.kind = 'image' AND a.status = 'succeeded' GROUP BY a.id, a.title, a.face_count"
    )
    report.promise(
        "each photo has the faces of one analysis",
        [row for row in site.rows(counted) if not row[1] == row[2] == 1],
    )
    frames = (
        "SELECT a.title, a.frame_count, count(f.id), count(DISTINCT f.frame), "
        "count(DISTINCT f.track_id) FROM recognition_analysis a "
        "LEFT JOIN recognition_face f ON f.analysis_id = a.id "
        "WHERE a.kind = 'video' AND a.status = 'succeeded' GROUP BY a.id, a.title, a.frame_count"
    )
    whole = VIDEO_SECONDS * VIDEO_FPS
    report.promise(
        f"each video has {whole} frames, each once, with one track",
        [row for row in site.rows(frames) if row[1:] != (whole, whole, whole, 1)],
    )


def main() -> int:
    parser = options_of(__doc__)
    parser.add_argument("--uploads", type=int, default=200)
    parser.add_argument("--videos", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=10, help="in each, each process is killed")
    parser.add_argument("--round-seconds", type=float, default=20)
    parser.add_argument("--kills", type=int, default=0, help="single ones, instead of rounds")
    parser.add_argument("--kill-seconds", type=float, default=2, help="between two, on average")
    parser.add_argument("--epochs", type=int, default=12, help="of the training; 0: none")
    parser.add_argument("--database", choices=("auto", "sqlite", "postgres"), default="auto")
    options = parser.parse_args()
    report = Report("chaos", vars(options))
    with tempfile.TemporaryDirectory(prefix="mien-chaos-") as folder:
        chaos(options, report, Path(folder))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
