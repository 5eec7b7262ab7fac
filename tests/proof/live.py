"""A webcam for proofs: a live session that comes back when it breaks off, like the page's."""

import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from benchmarks.uploads import photo
from tests.proof.report import Report
from tests.proof.site import ProofSite, wait_for


@dataclass
class Session:
    """What the client saw of one session."""

    kept_url: str = ""
    results: int = 0
    closed: bool = False  # in order, with a summary


class Webcam:
    """Frames at a steady rate, and what became of them."""

    def __init__(self, site: ProofSite, key: str, *, keep: bool = False, rate: float = 5):
        self.site, self.key, self.keep, self.rate = site, key, keep, rate
        self.sessions: list[Session] = []
        self.errors = 0  # of single frames

    def run(self, done: threading.Event) -> None:
        """Send frames until `done`, over as many sessions as it takes."""
        frame = photo(480, 480, seed=0)
        while not done.is_set():
            with suppress(OSError, TimeoutError, WebSocketException):
                self._session(frame, done)
            done.wait(0.5)

    def _session(self, frame: bytes, done: threading.Event) -> None:
        address = self.site.url.replace("http", "ws", 1) + "/ws/live/"
        headers = {"Authorization": f"Bearer {self.key}"}
        with connect(address, additional_headers=headers, compression=None) as socket:
            if json.loads(socket.recv(20))["type"] != "session.created":
                return
            session = Session()
            self.sessions.append(session)
            if self.keep:
                socket.send(json.dumps({"type": "session.update", "keep": True}))
                session.kept_url = json.loads(socket.recv(20)).get("kept_url") or ""
            sequence = 0
            while not done.is_set():
                due = time.monotonic() + 1 / self.rate
                sequence += 1
                socket.send(sequence.to_bytes(4) + frame)
                answer = json.loads(socket.recv(20))
                session.results += answer["type"] == "frame.result"
                self.errors += answer["type"] == "frame.error"
                done.wait(max(0.0, due - time.monotonic()))
            socket.send(json.dumps({"type": "session.close"}))
            while json.loads(socket.recv(20))["type"] != "session.closed":
                pass
            session.closed = True

    def check(self, report: Report) -> None:
        """The rows of the kept sessions fit together, and to what the client saw."""
        kept = {
            one.kept_url.split("/")[2].replace("-", ""): one
            for one in self.sessions
            if one.kept_url
        }
        rest = "kind = 'webcam' AND status IN ('queued', 'running')"
        query = f"SELECT count(*) FROM recognition_analysis WHERE {rest}"
        ended = wait_for(lambda: not self.site.rows(query)[0][0], "the sessions' ends", 60)
        report.promise("each kept session has ended", [] if ended else ["one is running"])
        rows = self.site.rows(
            "SELECT a.id, a.status, a.frame_count, a.face_count, a.seconds, count(f.id), "
            "count(DISTINCT f.time), count(DISTINCT f.track_id), coalesce(max(f.time), 0) "
            "FROM recognition_analysis a LEFT JOIN recognition_face f ON f.analysis_id = a.id "
            "WHERE a.kind = 'webcam' "
            "GROUP BY a.id, a.status, a.frame_count, a.face_count, a.seconds"
        )
        report.figure("live sessions", len(self.sessions))
        report.figure("live frames read", sum(one.results for one in self.sessions))
        report.figure("live frames stored", sum(row[2] for row in rows))
        wrong = []
        for pk, status, frames, tracks, seconds, faces, times, used, last in rows:
            seen = kept.pop(str(pk).replace("-", ""), None)
            # Rows are stored once a second and while the database answers: what a killed process
            # had not stored is lost.
            fewest = seen.results if seen and seen.closed else 0
            fits = (
                status == "succeeded"
                and faces == times == frames
                and used == tracks
                and last <= seconds + 0.01
                and (seen is None or fewest <= frames <= seen.results + 1)
            )
            if not fits:
                wrong.append((pk, status, frames, tracks, seconds, faces, times, used, last, seen))
        report.promise("the kept sessions' rows fit together", wrong)
        report.promise("no kept session is lost", [one for one in kept.values() if one.results])
