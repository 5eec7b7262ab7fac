"""The audit of dependencies doesn't take silence for good news."""

import json

import pytest

from deploy import audit
from tests.processes import ROOT

FLAW = {"id": "PYSEC-2022-10", "fix_versions": ["9.0.1"], "aliases": [], "description": ""}


def pip_audit(*packages: dict) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_a_flaw_is_named_with_its_fix():
    text = pip_audit(
        {"name": "pillow", "version": "9.0.0", "vulns": [FLAW]},
        {"name": "django", "version": "5.2.9", "vulns": []},
    )
    outcome = audit.read_pip_audit("requirements.txt", text)
    assert outcome.found == ["pillow 9.0.0: PYSEC-2022-10, fixed in 9.0.1"]
    assert (outcome.checked, outcome.unchecked) == (2, [])


def test_what_pip_audit_skips_was_not_checked():
    """It exits with 0 then, and calls the file clean."""
    text = pip_audit({"name": "pillow", "skip_reason": "Dependency not found on PyPI"})
    outcome = audit.read_pip_audit("requirements.txt", text)
    assert (outcome.checked, outcome.unchecked) == (0, ["Dependency not found on PyPI"])
    assert "NOT CHECKED: Dependency not found on PyPI" in audit.describe(outcome)


@pytest.mark.parametrize("text", ["", "no JSON", "{}", "[]"])
def test_no_answer_is_no_good_news(text):
    assert audit.read_pip_audit("requirements.txt", text).unchecked
    assert audit.read_npm_audit("package-lock.json", text).unchecked


def test_npm_s_findings_are_read():
    flaw = {"name": "left-pad", "severity": "high", "range": "<1.3", "fixAvailable": True}
    report = {"vulnerabilities": {"left-pad": flaw}, "metadata": {"dependencies": {"total": 40}}}
    outcome = audit.read_npm_audit("package-lock.json", json.dumps(report))
    assert outcome.found == ["left-pad <1.3: high, an update fixes it"]
    assert outcome.checked == 40


def test_npm_s_error_is_no_good_news():
    text = json.dumps({"message": "405 Method Not Allowed", "statusCode": 405})
    assert audit.read_npm_audit("package-lock.json", text).unchecked


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([audit.Outcome("a", [], 3, [])], 0),
        ([audit.Outcome("a", [], 0, ["no answer"])], 2),
        ([audit.Outcome("a", [], 0, ["no answer"]), audit.Outcome("b", ["a flaw"], 3, [])], 1),
    ],
)
def test_the_exit_status_says_which(monkeypatch, outcomes, status):
    monkeypatch.setattr(audit, "audit_python", lambda folder: list(outcomes))
    monkeypatch.setattr(audit, "audit_npm", lambda: audit.Outcome("npm", [], 40, []))
    assert audit.main() == status


def test_every_lock_is_audited():
    locks = {
        str(path.relative_to(ROOT))
        for pattern in ("requirements*.txt", ".ci/*.txt", "deploy/*.txt")
        for path in ROOT.glob(pattern)
    }
    # Its packages are all in requirements.txt.
    assert set(audit.LOCKS) == locks - {"requirements-slim.txt"}
