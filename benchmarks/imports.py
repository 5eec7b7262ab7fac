"""An import of a folder with 100,000 files while people open pages: `make bench-imports`.

Most files are no photos, because analyzing as many takes an hour and a half on two cores; what the
importer does with them is the same but for the queue. Prints files a second, the importer's memory
(at most 200 MB), and how fast dashboard and history are meanwhile.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.site import EMAIL, running_site
from benchmarks.uploads import photo
from tests.processes import ROOT

LIMIT_MB = 200
PAGES = ("/dashboard/", "/analyses/")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--others", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mien-bench-") as folder, running_site() as site:
        source = Path(folder)
        for number in range(options.photos):
            (source / f"photo-{number:06}.jpg").write_bytes(photo(640, 480, number))
        for number in range(options.others):
            below = source / f"more-{number // 1000:03}"
            below.mkdir(exist_ok=True)
            (below / f"{number:06}.txt").write_text(f"no photo {number}")
        client, times, done = site.sign_in(), [], threading.Event()

        def visit() -> None:
            while not done.wait(0.1):
                for page in PAGES:
                    began = time.perf_counter()
                    assert client.get(page).status_code == 200
                    times.append(time.perf_counter() - began)

        visitor = threading.Thread(target=visit)
        visitor.start()
        began = time.monotonic()
        command = [sys.executable, "manage.py", "import_media", str(source), "--owner", EMAIL]
        environment = os.environ | {"MIEN_DATA": site.data_dir, "MIEN_LOG_LEVEL": "WARNING"}
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
        seconds = time.monotonic() - began
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        done.set()
        visitor.join()
    p95 = statistics.quantiles(times, n=20)[-1]
    print(f"{(options.photos + options.others) / seconds:.0f} files a second in {seconds:.0f} s")
    print(f"memory: {memory:.0f} MB (limit {LIMIT_MB}; {before / 1024:.0f} before)")
    print(f"pages meanwhile: p95 {p95 * 1000:.0f} ms, median {statistics.median(times) * 1000:.0f}")
    return memory > LIMIT_MB


if __name__ == "__main__":
    sys.exit(main())
