"""`make proof`: every proof, one after the other, and one table of what they showed.

    make proof                         minutes
    make proof ARGS="--full"           600 uploads under 60 kills, 1,400 pictures, an hour of soak
    make proof ARGS="fuzz --seed 7"    some of them

Each runs in a process of its own. The results are in var/proof: a JSON file each, and summary.md.
"""

import argparse
import json
import subprocess
import sys
import time
from typing import Any

from tests.processes import ROOT
from tests.proof.report import RESULTS, machine

PROOFS = {
    "access": "everything requested by those whom it doesn't belong to",
    "chaos": "every process killed while work goes on",
    "fuzz": "odd files, random requests, random messages",
    "soak": "a busy site that grows by nothing",
}
FULL = {
    "chaos": [["--uploads", "600", "--kills", "60"], []],
    "fuzz": [["--files", "1400", "--videos", "200", "--examples", "20", "--messages", "2000"]],
    "soak": [["--minutes", "60"]],
}
"""What the full proof adds; an empty list is the ordinary one."""


def run(name: str, arguments: list[str]) -> dict[str, Any]:
    """Run a proof; its results. A proof that broke off has no promises."""
    began = time.monotonic()
    path = RESULTS / f"{name}.json"
    path.unlink(missing_ok=True)
    subprocess.run([sys.executable, "-m", f"tests.proof.{name}", *arguments], cwd=ROOT)
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text())
        return found
    seconds = round(time.monotonic() - began)
    return {"proof": name, "kept": False, "seconds": seconds, "promises": [], "options": arguments}


def table(results: list[dict[str, Any]]) -> str:
    """The summary in Markdown."""
    lines = ["| proof | what | promises kept | time | |", "| --- | --- | --- | --- | --- |"]
    for one in results:
        kept = sum(not promise["broken"] for promise in one["promises"])
        time_taken = f"{one['seconds'] // 60}:{one['seconds'] % 60:02}"
        counted = f"{kept} of {len(one['promises'])}" if one["promises"] else "broke off"
        verdict = "kept" if one["kept"] else "**BROKEN**"
        what = PROOFS[one["proof"]]
        lines.append(f"| {one['proof']} | {what} | {counted} | {time_taken} | {verdict} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("proofs", nargs="*", metavar="PROOF", help=", ".join(PROOFS))
    parser.add_argument(
        "--full", action="store_true", help="all that is promised: about 90 minutes"
    )
    parser.add_argument("--seed", default="1")
    options = parser.parse_args()
    if unknown := set(options.proofs) - PROOFS.keys():
        parser.error(f"There is no proof {', '.join(sorted(unknown))}.")
    results = []
    for name in options.proofs or PROOFS:
        for arguments in FULL.get(name, [[]]) if options.full else [[]]:
            results.append(run(name, ["--seed", options.seed, *arguments]))
    text = table(results)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "summary.md").write_text(f"{machine()}\n\n{text}\n")
    print(f"\n{text}\n\nAlso in {RESULTS}")
    return 0 if all(one["kept"] for one in results) else 1


if __name__ == "__main__":
    sys.exit(main())
