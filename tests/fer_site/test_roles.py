"""Each process loads only what it works with."""

import json
import os
import subprocess
import sys

import pytest

from tests.processes import ROOT

HEAVY = {
    *["allauth", "cv2", "django.contrib.admin", "drf_spectacular", "fer_site.urls", "httpx"],
    *["keras", "matplotlib", "numpy", "onnx", "onnxruntime", "pandas", "PIL", "pyarrow"],
    *["recognition.models", "rest_framework", "tensorflow", "tf2onnx"],
}
"""Modules that cost megabytes, or bring others that do."""

ALWAYS = {"recognition.models", "numpy", "cv2"}
"""What a worker has: rows, and the numbers by which events describe them."""

MAY_LOAD = {
    "beat": set(),
    "frames": ALWAYS | {"PIL"},
    "analyses": ALWAYS | {"PIL"},
    "exports": ALWAYS,
    "training": ALWAYS | {"PIL"},
}
"""Idle: ONNX Runtime comes with the first face, Arrow with the first export in Parquet, httpx with
the first webhook."""

LOAD = """
import json, sys
from fer_site.celery import app
app.loader.import_default_modules()
print(json.dumps(sorted(sys.modules)))
"""


def loaded(role: str, code: str = LOAD) -> set[str]:
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "MIEN_ROLE": role},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(ran.stdout.splitlines()[-1]))


@pytest.mark.parametrize("role", MAY_LOAD)
def test_a_worker_loads_what_it_works_with(role):
    assert loaded(role) & HEAVY <= MAY_LOAD[role]


def test_the_web_process_runs_no_network_and_writes_no_table():
    code = """
import json, sys
import fer_site.asgi, fer_site.urls
print(json.dumps(sorted(sys.modules)))
"""
    heavy = loaded("site", code) & HEAVY

    assert not heavy & {"keras", "matplotlib", "onnx", "onnxruntime", "pandas", "pyarrow"}
    assert {"rest_framework", "allauth"} <= heavy  # proves that the test checks the right names


@pytest.mark.parametrize(
    ("role", "tasks"),
    [
        ("frames", {"recognition.tasks.analyze_frame"}),
        ("exports", {"recognition.tasks.export", "recognition.tasks.deliver"}),
        ("training", {"training.tasks.train", "training.tasks.import_weights"}),
        ("analyses", {"recognition.tasks.analyze", "training.tasks.check_dataset"}),
    ],
)
def test_a_worker_knows_the_tasks_of_its_queues(role, tasks):
    code = """
import json
from fer_site.celery import app
app.loader.import_default_modules()
print(json.dumps(sorted(app.tasks)))
"""
    assert tasks <= loaded(role, code)
