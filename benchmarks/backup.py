"""A backup of 100,000 analyses, and the site made from it: `make bench-backup`.

Fills a new SQLite database, with a small photo and thumbnail for each analysis, and runs the
commands as an operator would.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.processes import ROOT

FILL = """
import sys
from benchmarks.history import fill, start_django
start_django()
fill(int(sys.argv[1]))
"""


def run(data_dir: Path, *command: str, **more: str) -> tuple[float, float]:
    """Seconds that a command took, and the largest memory of any so far in MB."""
    environment = os.environ | {"MIEN_DATA": str(data_dir), "DATABASE_URL": "", **more}
    began = time.monotonic()
    subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return time.monotonic() - began, used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--analyses", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mien-bench-") as folder:
        old, new, file = Path(folder, "old"), Path(folder, "new"), Path(folder, "mien.tar")
        run(old, "-c", FILL, str(options.analyses))
        for kind, size in (("photos", 3000), ("thumbnails", 800)):
            (old / "media" / kind).mkdir(parents=True, exist_ok=True)
            for number in range(options.analyses):
                content = number.to_bytes(8, "big") * (size // 8)
                (old / "media" / kind / f"{number}.webp").write_bytes(content)
        seconds, memory = run(old, "manage.py", "backup", str(file))
        print(
            f"backup: {seconds:.1f} s, {file.stat().st_size / 1e6:.0f} MB, memory {memory:.0f} MB"
        )
        run(new, "manage.py", "migrate", "--verbosity", "0")
        seconds, memory = run(new, "manage.py", "restore", str(file))
        print(f"restore: {seconds:.1f} s, memory at most {memory:.0f} MB")


if __name__ == "__main__":
    main()
