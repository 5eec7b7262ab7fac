"""Metrics of a site: what its database and Redis know, and what its processes measured."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from recognition import metrics
from recognition.models import Analysis
from tests.conftest import LiveSite
from tests.deploy.journey import SAMPLE, Visitor
from tests.processes import wait_until

TOKEN = "a token for tests"


@pytest.fixture
def metrics_on(settings, tmp_path, monkeypatch):
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))


def scrape(client, **headers):
    return client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}", **headers})


def values(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample, by its name and the values of its labels in the order of their names."""
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_there_are_no_metrics_without_a_token(client, db):
    assert client.get("/metrics").status_code == 404


@pytest.mark.parametrize("given", ["", "Bearer wrong", "Bearer ü"])
def test_only_the_token_reads_them(client, db, metrics_on, given):
    answer = scrape(client, Authorization=given)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert "MIEN_METRICS_TOKEN" in answer.content.decode()


def test_the_database_and_redis_are_asked(client, user, metrics_on):
    for status in ("queued", "queued", "failed", "succeeded"):
        Analysis.objects.create(owner=user, status=status, title="a secret title")
    answer = scrape(client)
    text = answer.content.decode()
    found = values(text)
    assert found["mien_jobs", ("analysis", "queued")] == 2
    assert found["mien_jobs", ("analysis", "failed")] == 1
    assert found["mien_queue_age_seconds", ("analyses",)] > 0
    assert found["mien_queue_age_seconds", ("videos",)] == 0
    assert found["mien_disk_total_bytes", ()] > found["mien_disk_free_bytes", ()] > 0
    assert ("mien_workers", ("training",)) in found
    assert "secret" not in text
    assert "ada" not in text


def test_a_source_that_fails_leaves_the_others(client, user, metrics_on, monkeypatch):
    def fail():
        raise OSError("gone")

    monkeypatch.setitem(metrics.SOURCES, "site", fail)
    found = values(scrape(client).content.decode())
    assert ("mien_disk_free_bytes", ()) not in found
    assert ("mien_jobs", ("analysis", "queued")) in found


class Collector(BaseHTTPRequestHandler):
    """Takes traces as an OpenTelemetry collector does."""

    spans: list = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            name = resource.resource.attributes[0].value.string_value
            self.spans += [(name, s) for scope in resource.scope_spans for s in scope.spans]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def observed_site(tmp_path_factory):
    """A site with everything on that shows what it does, after one analyzed photo."""
    collector = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    site = LiveSite(
        tmp_path_factory.mktemp("observed"),
        MIEN_METRICS_TOKEN=TOKEN,
        MIEN_LOG_FORMAT="json",
        MIEN_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.server_port}",
        OTEL_BSP_SCHEDULE_DELAY="200",
    )
    visitor = Visitor(site.url)
    visitor.set_up()
    site.visitor, site.analysis = visitor, visitor.analyze(SAMPLE.read_bytes())
    yield site
    site.stop()
    collector.shutdown()


@pytest.mark.slow
def test_what_workers_measure_is_in_the_sites_answer(observed_site):
    answer = httpx.get(f"{observed_site.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    found = values(answer.text)
    assert found["mien_job_seconds_count", ("analysis", "succeeded")] == 1
    assert found["mien_job_wait_seconds_count", ("analysis",)] == 1
    decode = observed_site.analysis["milliseconds"]["decode"] / 1000
    assert found["mien_stage_seconds_sum", ("analysis", "decode")] == pytest.approx(
        decode, abs=0.001
    )
    assert found["mien_workers", ("analyses",)] == 1
    assert found["mien_model_info", ("se_resnet", "1")] == 1
    assert any(
        name == "django_http_requests_latency_seconds_by_view_method_count" for name, _ in found
    )


@pytest.mark.slow
def test_a_log_line_tells_its_request_and_job(observed_site):
    answer = httpx.get(f"{observed_site.url}/health/", headers={"X-Request-ID": "0f" * 16})
    assert answer.headers["X-Request-ID"] == "0f" * 16
    observed_site.visitor.request("/api/v1/jobs/queues/analyses/pause/", b"")
    analysis = observed_site.visitor.analyze(SAMPLE.read_bytes(), wait=0)
    (source,) = (observed_site.data_dir / "media" / "incoming").iterdir()
    source.unlink()
    headers = {"X-Request-ID": "0f" * 16}
    observed_site.visitor.request("/api/v1/jobs/queues/analyses/resume/", b"", **headers)

    def line():
        lines = (observed_site.data_dir / "worker.log").read_text().splitlines()
        logged = [json.loads(line) for line in lines if line.startswith("{")]
        return next((one for one in logged if one["job"] == analysis["id"]), None)

    wait_until(line, "the worker's line about a job whose file is gone", 30)
    assert {"time", "level", "logger", "message", "process"} <= set(line())
    assert line()["task"] == "recognition.tasks.analyze"
    assert re.fullmatch("[0-9a-f]{32}", line()["request_id"])
    assert "Traceback" in line()["exc_info"]


@pytest.mark.slow
def test_a_trace_goes_from_the_request_to_the_worker(observed_site):
    def joined():
        spans = list(Collector.spans)
        begun = {s.trace_id for name, s in spans if name == "mien-site"}
        return [
            s
            for name, s in spans
            if name != "mien-site" and s.trace_id in begun and "analyze" in s.name
        ]

    wait_until(joined, "a trace through web and worker", 20)
