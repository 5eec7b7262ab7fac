"""Alerts and dashboard: they ask for metrics that the site has, and lead to a way out."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from django_prometheus.middleware import Metrics

import fer_site.urls  # noqa: F401 with these two, every room adds its metrics
import recognition.routing  # noqa: F401
from recognition import metrics
from recognition.jobs.kinds import KINDS
from recognition.models import Job

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "deploy/monitoring"
PROMTOOL = os.environ.get("PROMTOOL") or shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    not PROMTOOL, reason="needs promtool, which .ci/kubernetes.sh fetches"
)

GROUPS = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
RULES = [rule for group in GROUPS for rule in group["rules"]]
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = {rule["alert"]: rule["expr"] for rule in RULES} | {
    f"{panel['title']} {target['refId']}": target["expr"]
    for panel in PANELS
    for target in panel["targets"]
}
# Prometheus' own, and the blackbox exporter's.
OTHERS = {"up": {"job", "instance"}, "probe_success": {"job", "instance"}}


def promtool(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([str(PROMTOOL), *arguments], capture_output=True, text=True)


@pytest.fixture
def series(db) -> dict[str, set[str]]:
    """Every series of the site, with the names of its labels."""
    found = {}
    for source in metrics.SOURCES.values():
        for family in source():
            found[family.name] = set(family._labelnames)
    middleware = Metrics.get_instance()
    measured = [value for value in vars(middleware).values() if hasattr(value, "describe")]
    for metric in [*metrics._histograms().values(), *measured]:
        (family,) = metric.describe()
        labels = set(metric._labelnames)
        if family.type == "histogram":
            found |= {f"{family.name}_{part}": labels for part in ("sum", "count")}
            found[f"{family.name}_bucket"] = labels | {"le"}
        else:
            found[f"{family.name}_total"] = labels
    return found | OTHERS


def asked(expression: str) -> list[tuple[str, set[str]]]:
    """The series that an expression names, with the labels that it selects them by."""
    found = re.findall(r"\b((?:mien|django)_\w+|up|probe_success)\b(?:\{([^}]*)\})?", expression)
    return [(name, set(re.findall(r"(\w+)\s*[=!]~?", selector))) for name, selector in found]


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS.keys())
def test_it_asks_for_series_that_the_site_has(expression, series):
    assert asked(expression)
    for name, labels in asked(expression):
        assert name in series
        assert labels <= series[name]
    grouped = re.findall(r"\b(?:by|on) \(([^)]*)\)", expression)
    labels = {label.strip() for group in grouped for label in group.split(",") if label}
    assert labels <= set().union(*(series[name] for name, _ in asked(expression)))


def test_it_names_states_and_kinds_as_the_site_does():
    text = "\n".join(EXPRESSIONS.values())
    assert set(re.findall(r'(?:status|state)!?="([a-z]+)"', text)) <= set(Job.Status.values)
    queues = {kind.queue for kind in KINDS.values()}
    assert {"training", "videos"} <= queues


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_and_what_to_do(rule):
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"].endswith(".")
    page, row = rule["annotations"]["runbook"].split(": ")
    assert f"\n| {row} |" in (ROOT / page).read_text()


def test_alerts_have_names_of_their_own():
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)
    assert all(name.startswith("Mien") for name in names)


def test_every_metric_of_the_guide_is_shown():
    guide = (ROOT / "docs/how-to/monitor.md").read_text()
    documented = set(re.findall(r"`(mien_\w+)", guide))
    assert len(documented) > 10
    text = "\n".join(EXPRESSIONS.values())
    assert [name for name in sorted(documented) if name not in text] == []


def test_panels_do_not_overlap():
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_the_dashboard_leaves_the_data_source_open():
    assert {panel["datasource"]["uid"] for panel in PANELS} == {"${datasource}"}


def test_workers_of_docker_compose_are_scraped():
    jobs = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    (workers,) = (job for job in jobs if job["job_name"] == "mien-workers")
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert set(workers["dns_sd_configs"][0]["names"]) == {
        name for name in compose if name.startswith("worker-")
    }


@needs_promtool
def test_alerts_fire_when_they_should():
    outcome = promtool("test", "rules", str(ROOT / "tests/deploy/alerts.yml"))
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@needs_promtool
@pytest.mark.parametrize("name", ["prometheus.yml", "prometheus-kubernetes.yml"])
def test_prometheus_takes_the_example(tmp_path, name):
    # Debian's promtool is built without Kubernetes.
    text = (FOLDER / name).read_text().replace("kubernetes_sd_configs: [{role: pod}]", "")
    (tmp_path / name).write_text(text)
    outcome = promtool("check", "config", "--syntax-only", str(tmp_path / name))
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@needs_promtool
def test_prometheus_understands_every_expression(tmp_path):
    rules = [
        {"record": f"r{number}", "expr": expression}
        for number, expression in enumerate(EXPRESSIONS.values())
    ]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    outcome = promtool("check", "rules", str(path))
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
