"""`python -m tests.proof.fuzz`: a site is sent what nobody should send.

Odd pictures and videos, random requests to every operation of the API as a stranger, a person and
the administrator, random messages on every socket. No answer is a server error, no process dies or
needs a gigabyte, each accepted file comes to an end, and afterwards the site works as before.
"""

import argparse
import importlib
import json
import os
import random
import struct
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from benchmarks.uploads import photo
from tests.proof.access import cookies_of
from tests.proof.odd_files import Odd, odd_pictures, odd_videos
from tests.proof.report import Report, options_of
from tests.proof.site import ProofSite, proof_site, wait_for
from tests.proof.watch import Watch
from tests.recognition.engine.clips import astronaut, write
from tests.recognition.engine.fuzzing import damage

LIMIT_MB = 1000
SENDERS = 3
# Close codes that the live protocol has, and those of a message that is too large or no text.
LIVE_CODES = {1000, 1007, 1009, 4400, 4408, 4413, 4429, 4431, 4503}
PERSON = "fuzz@example.org"


class Fuzz:
    """One site under fire, and the answers that it should never give."""

    def __init__(self, site: ProofSite, report: Report, seed: int):
        self.site, self.report, self.seed = site, report, seed
        self.administrator, self.person = site.administrator(), site.person(PERSON)
        self.errors: list[str] = []

    def send(self, address: str, field: str, odd: Odd) -> str:
        """The status of an upload, with the code of its refusal."""
        files = {field: (odd.name, odd.content)}
        try:
            answer = self.person.post(address, files=files)
        except httpx.TransportError as error:
            self.errors.append(f"{address} with {odd.content[:40]!r}: {error!r}")
            return "no answer"
        if answer.status_code >= 500:
            what = f"{odd.name!r}, {len(odd.content)} bytes, {odd.content[:40]!r}"
            self.errors.append(f"{address} with {what}: {answer.status_code} {answer.text[:200]}")
        with_code = answer.status_code >= 400 and "json" in answer.headers.get("Content-Type", "")
        code = answer.json().get("code", "") if with_code else ""
        return f"{answer.status_code} {code}".strip()

    def files(self, pictures: int, videos: int, folder: Path) -> None:
        with ThreadPoolExecutor(SENDERS) as pool:
            for kind, address, field, odd in (
                ("pictures", "/api/v1/analyses/", "photos", odd_pictures(pictures, self.seed)),
                ("videos", "/api/v1/videos/", "video", odd_videos(videos, self.seed, folder)),
            ):
                answers = pool.map(lambda one, a=address, f=field: self.send(a, f, one), odd)
                self.report.figure(f"answers to {kind}", dict(Counter(answers).most_common()))
        self.upload_in_lying_pieces()
        ended = wait_for(self.nothing_runs, "the files", 300)
        self.report.promise("each accepted file has ended", [] if ended else ["some run for ever"])
        query = (
            "SELECT kind, status, error_code, count(*) FROM recognition_analysis GROUP BY 1, 2, 3"
        )
        ends = self.site.rows(query)
        self.report.figure("ends", {f"{a} {b} {c}".strip(): count for a, b, c, count in ends})
        self.report.promise(
            "no file ended a worker three times", [row for row in ends if row[2] == "gave_up"]
        )

    def upload_in_lying_pieces(self) -> None:
        """Pieces with wrong lengths, offsets and checksums."""
        chance = random.Random(self.seed)
        headers = {"Tus-Resumable": "1.0.0"}
        kinds: Counter[int] = Counter()
        for _ in range(20):
            length = chance.choice(["0", "10", "100000", str(2**40), "-1", "x", str(10**20)])
            made = self.person.post(
                "/api/v1/uploads/", headers={**headers, "Upload-Length": length}
            )
            answers = [made]
            if made.status_code == 201:
                for _ in range(3):
                    piece = {
                        "Content-Type": "application/offset+octet-stream",
                        "Upload-Offset": chance.choice(["0", "7", "-1", str(10**15), ""]),
                        "Upload-Checksum": chance.choice(["sha1 AAAA", "crc 1", "sha256 =", ""]),
                    }
                    answers.append(
                        self.person.patch(
                            made.headers["Location"],
                            content=chance.randbytes(chance.choice([0, 10, 200_000])),
                            headers={**headers, **piece},
                        )
                    )
                answers.append(self.person.delete(made.headers["Location"], headers=headers))
            kinds.update(answer.status_code for answer in answers)
            # 507 says that the disk has no room for what the length claims.
            self.errors += [
                f"a piece: {one.status_code}"
                for one in answers
                if one.status_code in range(500, 507)
            ]
        self.report.figure("answers to lying pieces", dict(kinds))

    def nothing_runs(self) -> bool:
        tables = ("recognition_analysis", "recognition_videopart", "recognition_export")
        count = "SELECT count(*) FROM {} WHERE status IN ('queued', 'running')"
        return not any(self.site.rows(count.format(table))[0][0] for table in tables)

    def api(self, examples: int) -> None:
        """Random requests to every operation of the API's description, some to existing objects."""
        requests: Any = importlib.import_module("tests.proof.random_requests")  # reads the settings
        for name, email in (("a stranger", ""), ("a person", PERSON), ("the administrator", None)):
            count, wrong = requests.send(self.site.url, email, examples, self.seed)
            self.report.figure(f"random requests of {name}", count)
            self.errors += [f"{name}: {one}" for one in wrong]
        for queue in ("analyses", "videos", "exports", "training", "maintenance"):
            self.administrator.post(f"/api/v1/jobs/queues/{queue}/resume/")

    def sockets(self, messages: int) -> None:
        chance = random.Random(self.seed)
        base = self.site.url.replace("http", "ws", 1)
        codes: Counter[str] = Counter()
        for path, client in (
            ("live", self.person),
            ("analyses", self.person),
            ("training", self.administrator),
        ):
            sent = 0
            while sent < messages:
                many = chance.randint(1, 40)
                code = throw(f"{base}/ws/{path}/", client, self.site.url, chance, many)
                sent += many
                codes[f"{path} {code}"] += 1
                if code not in LIVE_CODES | {0}:
                    self.errors.append(f"the socket {path} was closed with {code}")
        self.report.figure("ends of sockets (0: by the client)", dict(codes))

    def check_after(self, folder: Path) -> None:
        """What worked before works now."""
        report = self.report
        report.promise("no answer is a server error", self.errors)
        wrong = [] if wait_for(self.site.answers, "the site", 60) else ["it doesn't answer"]
        report.promise("the site answers afterwards", wrong)
        headers = {"Content-Type": "image/jpeg", "Prefer": "wait=20"}
        answer = self.person.post("/api/v1/analyses/", content=photo(640, 640, 5), headers=headers)
        good = answer.is_success and len(answer.json()["analyses"][0].get("faces", [])) == 1
        report.promise("a good photo is still read", [] if good else [answer.text[:300]])
        clip = write(folder / "good.mp4", (astronaut(n / 5) for n in range(15)), rate=5)
        made = self.person.post("/api/v1/videos/", files={"video": ("a.mp4", clip.read_bytes())})
        address = f"/api/v1/analyses/{made.json()['id']}/"
        read = wait_for(lambda: self.person.get(address).json()["status"] == "succeeded", "it", 60)
        report.promise("a good video is still read", [] if read else [made.text[:300]])
        report.promise("no process has died", self.site.deaths())
        lost = [name for name in ("worker-analyses",) if "WorkerLostError" in self.site.log(name)]
        report.promise("no child of a worker has died", lost)


def odd_json(chance: random.Random, depth: int = 0) -> Any:
    """A random value, sometimes close to a message of the live protocol."""
    kind = chance.randrange(9 if depth < 4 else 6)
    if kind < 6:
        odd = ["", "session.update", "\ud800", "x" * 10_000, 0, -1, 10**400, 1e308, True, None]
        return chance.choice([*odd, float("nan"), float("inf"), chance.random(), "keep"])
    if kind == 6:
        return [odd_json(chance, depth + 1) for _ in range(chance.randrange(5))]
    names = ("type", "keep", "rate", "min_face", "smoothing", "mesh", "session", "x")
    found = {chance.choice(names): odd_json(chance, depth + 1) for _ in range(chance.randrange(6))}
    if chance.random() < 0.5:
        found["type"] = chance.choice(["session.update", "session.close", "frame.result"])
    return found


def odd_message(chance: random.Random, frame: bytes) -> str | bytes:
    kind = chance.randrange(6)
    if kind == 0:
        return json.dumps(odd_json(chance))
    if kind == 1:
        return chance.choice(["", "{", "[" * 5000, "null", '{"type": {}}', "\0", '"' * 99])
    if kind == 2:
        return chance.randbytes(chance.choice([0, 1, 3, 4, 5, 100, 5000, 600_000]))
    number = struct.pack(">I", chance.choice([0, 1, 2**32 - 1, chance.randrange(2**32)]))
    if kind == 3:
        return number + chance.randbytes(chance.randrange(3000))
    return number + (frame if kind == 4 else damage(frame, chance))


def throw(address: str, client: httpx.Client, origin: str, chance: random.Random, many: int) -> int:
    """Send so many random messages, and read what comes; the close code, 0 if it stays open."""
    frame = photo(320, 320, 1)
    cookies = cookies_of(client)
    try:
        with connect(
            address, additional_headers=cookies, origin=origin, compression=None, max_size=None
        ) as socket:
            for _ in range(many):
                socket.send(odd_message(chance, frame))
                try:
                    while True:
                        socket.recv(0.02)
                except TimeoutError:
                    pass
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 1006
    return 0


def fuzz(options: argparse.Namespace, report: Report, folder: Path) -> None:
    with proof_site(MIEN_LEASE_SECONDS="5") as site:
        os.environ.update(site.environment, DJANGO_SETTINGS_MODULE="fer_site.settings")
        with Watch(site) as watch:
            one = Fuzz(site, report, options.seed)
            one.files(options.files, options.videos, folder)
            report.say("files are done")
            if options.examples:
                one.api(options.examples)
                report.say("the API is done")
            one.sockets(options.messages)
            one.check_after(folder)
            time.sleep(2 * watch.every)
        peaks = {name: round(peak) for name, peak in sorted(watch.peaks.items())}
        report.figure("most memory of a process, MB", peaks)
        large = [f"{name}: {peak} MB" for name, peak in peaks.items() if peak > LIMIT_MB]
        report.promise(f"no process had more than {LIMIT_MB} MB", large)
        report.figure("other machines that requests named, not reached", len(site.asked_for()))


def main() -> int:
    parser = options_of(__doc__)
    parser.add_argument("--files", type=int, default=300, help="odd pictures")
    parser.add_argument("--videos", type=int, default=60, help="odd videos")
    parser.add_argument("--examples", type=int, default=5, help="requests to an operation; 0: none")
    parser.add_argument("--messages", type=int, default=300, help="on each socket")
    options = parser.parse_args()
    report = Report("fuzz", vars(options))
    with tempfile.TemporaryDirectory(prefix="mien-fuzz-") as folder:
        fuzz(options, report, Path(folder))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
