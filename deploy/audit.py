"""Asks the registries whether what Mien is built of has known vulnerabilities: make audit

Exits with 0 if all of it was checked and is clean, 1 if something was found, and 2 if something
couldn't be checked: no answer is no good news.
"""

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LOCKS = (
    *("requirements.txt", "requirements-dev.txt", "deploy/node.txt", "deploy/redis.txt"),
    *(".ci/requirements.txt", ".ci/helm.txt", ".ci/audit.txt", "deploy/cuda.txt"),
)
# Has had vulnerabilities for years: a service that knows none of them knows nothing.
KNOWN = "pillow==9.0.0"


class Outcome(NamedTuple):
    """What was found in a file: sentences, and how many packages were checked, and weren't."""

    file: str
    found: list[str]
    checked: int
    unchecked: list[str]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        outcomes = audit_python(Path(folder))
    outcomes.append(audit_npm())
    for outcome in outcomes:
        print(describe(outcome))
    if any(outcome.found for outcome in outcomes):
        return 1
    return 2 if any(outcome.unchecked for outcome in outcomes) else 0


def describe(outcome: Outcome) -> str:
    lines = [f"{outcome.file}: {outcome.checked} packages checked, {len(outcome.found)} findings"]
    lines += [f"  {sentence}" for sentence in outcome.found]
    lines += [f"  NOT CHECKED: {reason}" for reason in outcome.unchecked]
    return "\n".join(lines)


def audit_python(folder: Path) -> list[Outcome]:
    """pip-audit on each lock, from an environment of its own, after it has shown that it works."""
    venv.create(folder / "venv", with_pip=True)
    python = str(folder / "venv/bin/python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--require-hashes", "-r", ROOT / ".ci/audit.txt"], check=True)

    known = folder / "known.txt"
    known.write_text(f"{KNOWN}\n")
    command = [python, "-m", "pip_audit", "--progress-spinner=off", "--format=json"]
    command += ["--no-deps", "--disable-pip", "--requirement"]
    if not read_pip_audit("", _output([*command, str(known)])).found:
        reason = f"the vulnerability service can't be reached, or knows nothing of {KNOWN}"
        return [Outcome(name, [], 0, [reason]) for name in LOCKS]
    return [read_pip_audit(name, _output([*command, str(ROOT / name)])) for name in LOCKS]


def audit_npm() -> Outcome:
    command = ["sh", "deploy/npm.sh", "audit", "--json", "--package-lock-only"]
    return read_npm_audit("package-lock.json", _output(command))


def _output(command: list[str]) -> str:
    """What a command prints; both auditors exit with 1 if they find something."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout


def read_pip_audit(name: str, text: str) -> Outcome:
    """What pip-audit's JSON says; it calls a file clean of which it could look up nothing."""
    try:
        packages = json.loads(text)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Outcome(name, [], 0, ["pip-audit failed; what it said is above"])
    found = [
        f"{package['name']} {package['version']}: {flaw['id']}, "
        f"fixed in {', '.join(flaw['fix_versions']) or 'no version yet'}"
        for package in packages
        for flaw in package.get("vulns", [])
    ]
    skipped = [package["skip_reason"] for package in packages if "skip_reason" in package]
    return Outcome(name, found, len(packages) - len(skipped), skipped)


def read_npm_audit(name: str, text: str) -> Outcome:
    """What npm's JSON says (auditReportVersion 2)."""
    try:
        report = json.loads(text)
        flaws, count = report["vulnerabilities"], report["metadata"]["dependencies"]["total"]
    except (ValueError, KeyError, TypeError):
        return Outcome(name, [], 0, ["npm's vulnerability service can't be reached"])
    found = [
        f"{flaw['name']} {flaw['range']}: {flaw['severity']}, "
        f"{'an update fixes it' if flaw['fixAvailable'] else 'no fix yet'}"
        for flaw in flaws.values()
    ]
    return Outcome(name, found, count, [])


if __name__ == "__main__":
    sys.exit(main())
