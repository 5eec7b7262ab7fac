"""Static files under hashed names: every import between scripts leads to a file."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from django.contrib.staticfiles import finders

from fer_site.static import RuntimeFinder
from tests.processes import ROOT

IMPORTED = re.compile(r"""(?:from|import)\s*\(?\s*["'](\.[^"']+)["']""")

HASHED = re.compile(r"\.[0-9a-f]{12}\.")


def test_of_the_runtime_only_what_is_needed_is_served(tmp_path):
    collected = collect(tmp_path)
    folder = collected / "vendor" / "onnxruntime-web"
    plain = {file.name for file in folder.iterdir() if not HASHED.search(file.name)}
    kinds = {name.removesuffix(".gz") for name in plain}

    assert kinds == set(RuntimeFinder.names)
    manifest = json.loads((collected / "staticfiles.json").read_text())["paths"]
    assert all(f"{RuntimeFinder.prefix}/{name}" in manifest for name in RuntimeFinder.names)
    assert sum(file.stat().st_size for file in folder.iterdir()) < 40e6  # of 139 MB


def test_files_of_the_runtime_are_found_without_collecting_them():
    name = f"{RuntimeFinder.prefix}/ort.wasm.min.mjs"

    assert Path(finders.find(name)).is_file()
    assert finders.find(f"{RuntimeFinder.prefix}/ort.all.min.mjs") is None
    assert finders.find(f"{RuntimeFinder.prefix}/../../package.json") is None


def collect(folder: Path) -> Path:
    """Where collectstatic puts the static files."""
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"]
    folders = {"MIEN_STATIC": str(folder / "static"), "MIEN_DATA": str(folder / "data")}
    subprocess.run(command, cwd=ROOT, env=os.environ | folders, check=True)
    return folder / "static"


def test_every_script_imports_files_that_are_there(tmp_path):
    scripts = [*(collect(tmp_path) / "js").rglob("*.*.js")]
    missing = [
        f"{script.name}: {name}"
        for script in scripts
        for name in IMPORTED.findall(script.read_text())
        if not (script.parent / name).is_file()
    ]
    assert len(scripts) > 50
    assert missing == []
