"""The site runs on packages without what deploy/trim.py deletes from the image's."""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mien_client import Mien

from deploy.trim import trim
from tests.conftest import LiveSite
from tests.deploy.journey import SAMPLE, Visitor
from tests.processes import ROOT
from tests.recognition.engine.clips import astronaut, write

pytestmark = pytest.mark.slow

# Where Python would look next, there are the same packages, whole: each must be taken from here.
EVERY_MODULE = """
import importlib, pkgutil, sys
import django; django.setup()
import recognition, fer_site
for package in (recognition, fer_site):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if ".weights." not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
import av, boto3, cv2, numpy, onnx, onnxruntime, pyarrow.parquet, xlsxwriter
boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
for module in (av, boto3, cv2, numpy, onnx, onnxruntime, pyarrow, xlsxwriter):
    assert module.__file__.startswith(sys.argv[1]), module.__file__
"""


def link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy(source, target)


@pytest.fixture(scope="module")
def packages(tmp_path_factory) -> Path:
    """What requirements-slim.txt names, as links to what is installed here, trimmed."""
    folder = tmp_path_factory.mktemp("packages")
    lines = (ROOT / "requirements-slim.txt").read_text().splitlines()
    named = (re.match(r"([a-zA-Z0-9._-]+)==", line) for line in lines)
    for name in {found[1] for found in named if found}:  # some twice, for different Pythons
        try:
            files = importlib.metadata.files(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another system or Python
        for file in files or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                link(Path(str(file.locate())), folder / file)
    assert trim(folder) > 100e6
    return folder


def test_every_module_loads(packages, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(packages), "MIEN_DATA": str(tmp_path)}
    environment["DJANGO_SETTINGS_MODULE"] = "fer_site.settings"
    command = [sys.executable, "-c", EVERY_MODULE, str(packages)]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_every_journey_works(packages, tmp_path):
    site = LiveSite(tmp_path / "site", PYTHONPATH=str(packages))
    try:
        site.manage("register_shipped_model")
        visitor = Visitor(site.url)
        visitor.set_up()
        assert visitor.analyze(SAMPLE.read_bytes())["status"] == "succeeded"
        assert "swagger" in visitor.request("/api/v1/docs/")
        body = json.dumps({"name": "key", "scopes": ["read", "analyze"]}).encode()
        answer = visitor.request("/api/v1/keys/", body, **{"Content-Type": "application/json"})
        with Mien(site.url, json.loads(answer)["key"]) as mien:
            clip = write(tmp_path / "clip.mp4", (astronaut(n / 10) for n in range(10)), rate=10)
            assert mien.analyze_video(clip).error is None
            for kind in ("parquet", "xlsx", "csv"):
                mien.export(tmp_path / f"faces.{kind}", format=kind)
                assert (tmp_path / f"faces.{kind}").stat().st_size > 100
    finally:
        site.stop()
