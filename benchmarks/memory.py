"""Memory of all processes of Mien together, idle: `make bench-memory`.

Starts the site on a new data folder, waits until it is idle, and prints each process's proportional
set size (PSS: shared pages are divided among the processes that share them). Fails if any has
loaded TensorFlow, or if the sum exceeds the limit. Linux only, because it reads /proc.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.processes import end_with_parent, free_port

LIMIT_MB = 740
SETTLE_SECONDS = 10


def process_tree(root: int) -> list[int]:
    """`root` and all its descendants, parents first."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(") ")[2].split()[1])
        except OSError:  # it has ended
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    tree = [root]
    for pid in tree:
        tree += sorted(children.get(pid, []))
    return tree


def pss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"process {pid} reports no Pss")


def loads_tensorflow(pid: int) -> bool:
    return "tensorflow" in Path(f"/proc/{pid}/maps").read_text()


def command_line(pid: int) -> str:
    """The command line of a process; empty once it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    except OSError:
        return ""


def measure(root: int) -> bool:
    """Print the table for a running site; returns whether it meets the limits."""
    tree = process_tree(root)
    total, guilty = 0.0, []
    print(f"{'PSS MB':>8}  process")
    for pid in tree:
        size = pss_mb(pid)
        total += size
        print(f"{size:8.1f}  {command_line(pid)[-90:]}")
        if loads_tensorflow(pid):
            guilty.append(pid)
    print(f"{total:8.1f}  all {len(tree)} processes (limit {LIMIT_MB})")
    print(f"TensorFlow is loaded in {guilty or 'none of them'}")
    return total < LIMIT_MB and not guilty


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pid", type=int, help="the PID of deploy.run of a running site")
    arguments = parser.parse_args()
    if arguments.pid:
        return 0 if measure(arguments.pid) else 1
    with tempfile.TemporaryDirectory(prefix="mien-") as data_dir:
        site = subprocess.Popen(
            [sys.executable, "-m", "deploy.run"],
            env=os.environ | {"MIEN_DATA": data_dir, "PORT": str(free_port())},
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=end_with_parent,
        )
        try:
            for line in site.stdout:
                if "is ready" in line:
                    break
            time.sleep(SETTLE_SECONDS)
            return 0 if measure(site.pid) else 1
        finally:
            site.send_signal(signal.SIGINT)
            site.wait()


if __name__ == "__main__":
    sys.exit(main())
