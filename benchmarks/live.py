"""Live sessions as a client sees them: `make bench-live` (about 12 minutes; ARGS="--minutes 1").

Starts a whole site and replays JPEG frames of a moving face over WebSockets: one client at 15
frames a second, four at 10, one at 60, and one while the worker and Redis are killed. Prints round
trips, answered frames, the longest queue and the growth of memory, and fails if a limit is missed.
"""

import argparse
import asyncio
import functools
import io
import json
import os
import signal
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import redis
import skimage.data
from PIL import Image
from websockets.asyncio.client import connect

from benchmarks.memory import command_line, process_tree, pss_mb
from benchmarks.site import Site, running_site

MEDIAN_MS, SLOW_MS = 50, 100  # one client
SHARED_SLOW_MS, SHARED_RATE = 400, 6  # four clients
RECOVERY_SECONDS = 5
GROWTH_MB_PER_MINUTE = 1.0
SAMPLE_SECONDS = 5


@functools.cache
def clip(frames: int = 60) -> list[bytes]:
    """640x480 JPEGs of a face that moves around and comes closer over a soft background."""
    face = Image.fromarray(skimage.data.astronaut()).crop((120, 0, 330, 260))
    coarse = np.random.default_rng(0).integers(60, 190, (6, 8, 3), np.uint8)
    background = Image.fromarray(coarse).resize((640, 480), Image.Resampling.BICUBIC)
    pictures = []
    for step in range(frames):
        angle = 2 * np.pi * step / frames
        height = int(260 * (1 + 0.15 * np.sin(angle)))
        scaled = face.resize((height * 210 // 260, height), Image.Resampling.BILINEAR)
        picture = background.copy()
        picture.paste(scaled, (int(215 + 120 * np.sin(angle)), int(100 + 50 * np.cos(2 * angle))))
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=80)
        pictures.append(file.getvalue())
    return pictures


@dataclass
class Trip:
    """One client's replies by type, and its round trips in milliseconds."""

    seconds: float = 0.0
    sent: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    milliseconds: list[float] = field(default_factory=list)
    parts: list[dict[str, float]] = field(default_factory=list)
    results_at: list[float] = field(default_factory=list)

    def share(self, of: float) -> float:
        return float(np.percentile(self.milliseconds, of))

    def count(self, kind: str) -> int:
        return self.kinds.get(kind, 0)

    def row(self, name: str) -> str:
        return (
            f"{name}: {self.sent} frames sent, {self.count('frame.result')} results, "
            f"{self.count('frame.skipped')} skipped, {self.count('frame.error')} errors; "
            f"median {statistics.median(self.milliseconds):.1f} ms, p95 {self.share(95):.1f} ms"
        )


async def replay(site: Site, cookie: str, rate: float, seconds: float) -> Trip:
    """Send frames at `rate` for the given time and collect the replies."""
    trip, sent_at = Trip(), {}
    address = site.url.replace("http", "ws") + "/ws/live/"
    headers = {"Cookie": cookie}
    async with connect(
        address, additional_headers=headers, origin=site.url, compression=None
    ) as socket:
        created = json.loads(await socket.recv())
        assert created["type"] == "session.created", created

        async def listen() -> None:
            async for text in socket:
                reply = json.loads(text)
                if reply["type"] == "session.closed":
                    return
                now = time.perf_counter()
                trip.kinds[reply["type"]] = trip.count(reply["type"]) + 1
                if reply["type"] == "frame.result":
                    trip.milliseconds.append((now - sent_at.pop(reply["sequence"])) * 1000)
                    trip.parts.append(reply["milliseconds"])
                    trip.results_at.append(now)

        listening = asyncio.create_task(listen())
        began = time.perf_counter()
        while (elapsed := time.perf_counter() - began) < seconds:
            trip.sent += 1
            sent_at[trip.sent] = time.perf_counter()
            await socket.send(trip.sent.to_bytes(4) + clip()[trip.sent % len(clip())])
            await asyncio.sleep(max(0, trip.sent / rate - (time.perf_counter() - began)))
        trip.seconds = elapsed
        await socket.send('{"type": "session.close"}')
        await asyncio.wait_for(listening, 30)
    return trip


class Watch:
    """Samples the memory of web server and frame worker, and the length of the frames queue."""

    def __init__(self, site: Site, queue: redis.Redis) -> None:
        self.queue = queue
        self.pids = [
            pid
            for pid in process_tree(site.pid)
            if "uvicorn" in command_line(pid) or "-Q frames" in command_line(pid)
        ]
        self.samples: list[tuple[float, float]] = []
        self.longest_queue = 0

    async def run(self) -> None:
        while True:
            await asyncio.sleep(SAMPLE_SECONDS)
            self.samples.append((time.perf_counter() / 60, sum(map(pss_mb, self.pids))))
            self.longest_queue = max(self.longest_queue, self.queue.llen("mien:frames"))

    def slope(self) -> float:
        """Megabytes per minute, without the first fifth, in which caches fill."""
        times, sizes = np.array(self.samples[len(self.samples) // 5 :]).T
        return float(np.polyfit(times, sizes, 1)[0])


async def watched(watch: Watch, work: Awaitable[list[Trip]]) -> list[Trip]:
    sampling = asyncio.create_task(watch.run())
    try:
        return await work
    finally:
        sampling.cancel()


async def killed_on_the_way(site: Site, cookie: str) -> dict[str, float]:
    """Seconds until results return after killing all frame workers, and after killing Redis."""
    gaps = {}
    for name, words in (("workers", "-Q frames"), ("Redis", "redis-server")):
        running = asyncio.create_task(replay(site, cookie, 10, 20))
        await asyncio.sleep(5)
        victims = [pid for pid in process_tree(site.pid) if words in command_line(pid)]
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        killed = time.perf_counter()
        trip = await running
        after = [at - killed for at in trip.results_at if at > killed + 0.1]
        gaps[name] = after[0] if after else float("inf")
    return gaps


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=10, help="of the four clients")
    parser.add_argument("--seconds", type=float, default=30, help="of the single clients")
    options = parser.parse_args()
    os.environ["MIEN_LIVE_SESSIONS_PER_USER"] = "4"
    checks: list[tuple[str, bool]] = []

    def check(text: str, kept: bool) -> None:
        print(f"{text}  {'ok' if kept else 'MISSED'}", flush=True)
        checks.append((text, kept))

    with running_site() as site:
        cookies = site.sign_in().cookies.items()
        cookie = "; ".join(f"{name}={value}" for name, value in cookies)
        queue = redis.Redis(unix_socket_path=str(Path(site.data_dir, "run", "redis.sock")))
        play: Callable[[float, float], Awaitable[Trip]] = functools.partial(replay, site, cookie)
        asyncio.run(play(15, 2))  # the worker loads its networks

        one = asyncio.run(play(15, options.seconds))
        print(one.row("one client, 15 a second"))
        for part in one.parts[0]:
            print(f"  {part:8} {statistics.median(row[part] for row in one.parts):6.1f} ms")
        median, slow = statistics.median(one.milliseconds), one.share(95)
        check(f"  median {median:.1f} ms (limit {MEDIAN_MS})", median <= MEDIAN_MS)
        check(f"  p95 {slow:.1f} ms (limit {SLOW_MS})", slow <= SLOW_MS)
        check(f"  {one.count('frame.skipped')} skipped", one.count("frame.skipped") == 0)

        async def four() -> list[Trip]:
            return await asyncio.gather(*(play(10, options.minutes * 60) for _ in range(4)))

        watch = Watch(site, queue)
        trips = asyncio.run(watched(watch, four()))
        for number, trip in enumerate(trips, 1):
            print(trip.row(f"client {number} of 4, 10 a second"))
            rate = trip.count("frame.result") / trip.seconds
            check(f"  {rate:.1f} answered a second (at least {SHARED_RATE})", rate >= SHARED_RATE)
            check(f"  p95 {trip.share(95):.0f} ms", trip.share(95) <= SHARED_SLOW_MS)
        check(f"  longest queue {watch.longest_queue} (at most 4)", watch.longest_queue <= 4)
        slope = watch.slope()
        check(f"  memory grew {slope:+.2f} MB a minute", slope <= GROWTH_MB_PER_MINUTE)

        watch = Watch(site, queue)

        async def fast() -> list[Trip]:
            return [await play(60, max(options.seconds, 4 * SAMPLE_SECONDS))]

        (trip,) = asyncio.run(watched(watch, fast()))
        print(trip.row("one client, 60 a second"))
        replies = sum(trip.kinds.values())
        check(f"  {replies} replies to {trip.sent} frames", replies == trip.sent)
        sizes = [size for _, size in watch.samples]
        check(f"  memory {sizes[0]:.0f} to {sizes[-1]:.0f} MB", sizes[-1] - sizes[0] < 10)

        for name, gap in asyncio.run(killed_on_the_way(site, cookie)).items():
            check(f"{name} killed: results again after {gap:.1f} s", gap <= RECOVERY_SECONDS)
    return 0 if all(kept for _, kept in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
