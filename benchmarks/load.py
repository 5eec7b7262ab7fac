"""Uploads, pages and live sessions at once, by Locust: `make bench-load`.

Three runs on one new site: uploads alone, live sessions alone, and half of both with visitors.
Prints requests a second and the 95th percentile of each kind. Everything runs
on this machine, the people too, who need a part of its processor.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.site import Site, running_site
from tests.processes import ROOT

LIMITS = {"upload": 2000, "frame.result": 300, "history": 150, "dashboard": 500}
"""Milliseconds, of the 95th percentile."""


def attack(site: Site, cookie: str, token: str, seconds: int, **people: int) -> None:
    """Let so many people of each class work for a while, and print what they met."""
    wanted = {name: count for name, count in people.items() if count}
    environment = os.environ | {"LOAD_COOKIE": cookie, "LOAD_TOKEN": token}
    print("; ".join(f"{count} × {name}" for name, count in wanted.items()))
    # Locust shares users out by weight: one run for each class, at the same time.
    with tempfile.TemporaryDirectory() as folder:
        runs = [
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "locust", "-f", "benchmarks/load_users.py", name),
                    *("--headless", "--only-summary", "--host", site.url, "--users", str(count)),
                    *("--spawn-rate", str(count), "--run-time", f"{seconds}s"),
                    *("--csv", f"{folder}/{name}", "--loglevel", "ERROR"),
                ],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for name, count in wanted.items()
        ]
        for run in runs:
            run.wait(seconds + 60)
        for name in wanted:
            with Path(folder, f"{name}_stats.csv").open() as file:
                rows = [row for row in csv.DictReader(file) if row["Name"] != "Aggregated"]
            for row in rows:
                limit = LIMITS.get(row["Name"])
                print(
                    f"  {row['Name']}: {float(row['Requests/s']):.1f} a second, p95 "
                    f"{row['95%']} ms{f' (limit {limit})' if limit else ''}, "
                    f"{row['Failure Count']} failures",
                    flush=True,
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--uploads", type=int, default=8, help="photos a second")
    parser.add_argument("--live", type=int, default=2, help="sessions")
    parser.add_argument("--visitors", type=int, default=2)
    options = parser.parse_args()
    os.environ["MIEN_API_REQUESTS_PER_MINUTE"] = "1000000"
    with running_site() as site:
        client = site.sign_in()
        name = next(name for name in client.cookies if name.startswith("sessionid"))
        with_it = site, f"{name}={client.cookies[name]}", client.cookies["csrftoken"]
        attack(*with_it, options.seconds, Uploader=options.uploads)
        attack(*with_it, options.seconds, AtWebcam=options.live)
        attack(
            *with_it,
            options.seconds,
            Uploader=options.uploads // 2,
            AtWebcam=max(1, options.live // 2),
            Visitor=options.visitors,
        )


if __name__ == "__main__":
    main()
