"""Metrics for Prometheus: what the database and Redis know, and times that processes measure.

Off unless `MIEN_METRICS_TOKEN` (the site answers at /metrics) or `MIEN_METRICS_PORT` (a worker on
another host answers there) is set. All processes of a host write their times to one folder
(`MIEN_METRICS_DIR`), from which one answer is put together.
"""

import functools
import logging
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import redis
from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse

from recognition import health

# Imported where they are used: without metrics, no process needs the library.
if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Histogram
    from prometheus_client.core import GaugeMetricFamily, Metric

logger = logging.getLogger(__name__)

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)
SPEEDS = (0.5, 1, 2, 5, 10, 20, 50, 100)

Source = Callable[[], Iterable["Metric"]]

SOURCES: dict[str, Source] = {}
"""What is asked at each scrape. Rooms add theirs by their names: they know what they store."""


def enabled() -> bool:
    return bool(settings.METRICS_TOKEN or settings.METRICS_PORT)


def observe_stages(kind: str, milliseconds: Mapping[str, float]) -> None:
    """Note how long the stages of a job took, in milliseconds by their names."""
    if enabled():
        for stage, value in milliseconds.items():
            _histograms()["stage"].labels(kind, stage).observe(value / 1000)


def observe_job(kind: str, status: str, waited: float, ran: float) -> None:
    """Note an ended job: seconds in the queue, and from the start of its last attempt."""
    if enabled():
        _histograms()["wait"].labels(kind).observe(max(0.0, waited))
        _histograms()["job"].labels(kind, status).observe(max(0.0, ran))


def observe_video(speed: float) -> None:
    """Note how many seconds of a video were read in a second."""
    if enabled():
        _histograms()["video"].observe(speed)


def observe_frame(seconds: float) -> None:
    """Note how long a live frame was in the site, from its arrival to its answer."""
    if enabled():
        _histograms()["frame"].observe(seconds)


@functools.cache
def _histograms() -> dict[str, "Histogram"]:
    from prometheus_client import Histogram

    def histogram(name: str, documentation: str, *labels: str) -> Histogram:
        return Histogram(f"mien_{name}_seconds", documentation, labels, buckets=BUCKETS)

    speed = "Seconds of a video that were read in a second."

    return {
        "stage": histogram("stage", "Time of a stage of a job.", "kind", "stage"),
        "wait": histogram("job_wait", "Time of a job in the queue.", "kind"),
        "job": histogram("job", "Time of a job's last attempt.", "kind", "status"),
        "frame": histogram("frame", "Time of a live frame in the site."),
        "video": Histogram("mien_video_speed", speed, buckets=SPEEDS),
    }


def gauge(name: str, documentation: str, *labels: str) -> "GaugeMetricFamily":
    """An empty gauge for a source to fill."""
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(f"mien_{name}", documentation, labels=labels)


def site_metrics() -> Iterable["Metric"]:
    """Disk, and the workers of each queue."""
    usage = shutil.disk_usage(settings.DATA_DIR)
    free = gauge("disk_free_bytes", "Free space of the data folder.")
    free.add_metric([], usage.free)
    total = gauge("disk_total_bytes", "Size of the disk of the data folder.")
    total.add_metric([], usage.total)
    workers = gauge("workers", "Workers heard of within a minute.", "queue")
    for queue, count in health.count_workers().items():
        workers.add_metric([queue], count)
    return [free, total, workers]


SOURCES["site"] = site_metrics


class _Sources:
    """The sources as Prometheus' library wants them; one that fails leaves out its own metrics."""

    def collect(self) -> Iterable["Metric"]:
        for source in SOURCES.values():
            try:
                yield from source()
            except (DatabaseError, redis.RedisError, OSError):
                logger.exception("Metrics are missing")


def read_figures(*sources: str) -> dict[str, float]:
    """The numbers without labels of some sources, by their names without "mien_"."""
    found: dict[str, float] = {}
    for name in sources:
        try:
            samples = [sample for metric in SOURCES[name]() for sample in metric.samples]
        except (KeyError, DatabaseError, redis.RedisError, OSError):
            continue  # a process knows the rooms that it has loaded
        found |= {s.name.removeprefix("mien_"): s.value for s in samples if not s.labels}
    return found


def _processes() -> "CollectorRegistry":
    """What the processes of this host have measured."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return registry


def scrape(request: HttpRequest) -> HttpResponse:
    """All metrics as text, for requests with `Authorization: Bearer MIEN_METRICS_TOKEN`."""
    if not settings.METRICS_TOKEN:
        raise Http404
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not secrets.compare_digest(given.encode(), settings.METRICS_TOKEN.encode()):
        return HttpResponse(
            "Send the token of MIEN_METRICS_TOKEN: Authorization: Bearer …\n",
            status=401,
            content_type="text/plain; charset=utf-8",
            headers={"WWW-Authenticate": "Bearer"},
        )
    from prometheus_client import generate_latest
    from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

    registry = _processes()
    registry.register(_Sources())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def serve_worker() -> None:
    """In a worker: answer scrapes at `MIEN_METRICS_PORT` with what its processes have measured."""
    if settings.METRICS_PORT:
        from prometheus_client import start_http_server

        start_http_server(settings.METRICS_PORT, registry=_processes())
        logger.info("Metrics are at port %d", settings.METRICS_PORT)


def forget_process(pid: int | None = None) -> None:
    """Drop the gauges of a process that has ended; its counts stay, or they would go down."""
    if enabled():
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(pid or os.getpid())
