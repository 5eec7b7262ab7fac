"""Static files under hashed names: every import between scripts leads to a file."""

import os
import re
import subprocess
import sys

from tests.processes import ROOT

IMPORTED = re.compile(r"""(?:from|import)\s*\(?\s*["'](\.[^"']+)["']""")


def test_every_script_imports_files_that_are_there(tmp_path):
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"]
    folders = {"MIEN_STATIC": str(tmp_path / "static"), "MIEN_DATA": str(tmp_path / "data")}
    subprocess.run(command, cwd=ROOT, env=os.environ | folders, check=True)
    scripts = [*(tmp_path / "static" / "js").rglob("*.*.js")]
    missing = [
        f"{script.name}: {name}"
        for script in scripts
        for name in IMPORTED.findall(script.read_text())
        if not (script.parent / name).is_file()
    ]
    assert len(scripts) > 50
    assert missing == []
