"""Small versions of the proofs, and that a proof can be broken."""

import hashlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.processes import ROOT
from tests.proof import access, report, soak
from tests.proof.__main__ import table

SMALL = {
    "access": [],
    "chaos": ["--uploads", "20", "--videos", "1", "--kills", "2", "--epochs", "0"],
    "fuzz": ["--files", "60", "--videos", "12", "--examples", "0", "--messages", "40"],
}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", SMALL)
def test_a_small_proof_is_kept(name, tmp_path):
    command = [sys.executable, "-m", f"tests.proof.{name}", "--results", str(tmp_path)]
    done = subprocess.run(
        [*command, *SMALL[name]], cwd=ROOT, capture_output=True, text=True, timeout=590
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    result = json.loads((tmp_path / f"{name}.json").read_text())
    assert result["kept"]
    assert len(result["promises"]) >= 8


def test_a_broken_promise_breaks_the_proof(tmp_path, capsys):
    one = report.Report("chaos", {"results": tmp_path})
    one.promise("none is lost", [])
    one.promise("none is there twice", ["chaos-1.jpg"])

    assert one.finish() == 1
    assert "BROKEN: none is there twice" in capsys.readouterr().out
    result = json.loads((tmp_path / "chaos.json").read_text())
    assert not result["kept"]
    assert "| 1 of 2 | 0:00 | **BROKEN** |" in table([result])


def test_a_proof_without_promises_is_broken(tmp_path):
    assert report.Report("soak", {"results": tmp_path}).finish() == 1


@pytest.mark.parametrize(
    ("memory", "rate"),
    [
        (lambda second: 100.0, 0),
        (lambda second: 100 + second / 30, 2),
        (lambda second: 100 + second / 30 + 3 * (second % 20 > 10), 2),  # up and down meanwhile
        (lambda second: 100 if second < 20 else 110.0, 0),  # once
    ],
    ids=["none", "steady", "noisy", "a step"],
)
def test_the_slope_is_what_grows_steadily(memory, rate):
    points = [(float(second), float(memory(second))) for second in range(0, 180, 2)]
    assert soak.slope(points) == pytest.approx(rate, abs=0.2)


def test_what_is_more_than_before_is_named():
    before, after = Counter(web=20, redis=5), Counter(web=25, redis=6, beat=1)
    assert soak.grown(before, after, spare=2) == ["web: 20 before, 25 after"]
    assert len(soak.grown(before, after, spare=0)) == 3


@pytest.mark.parametrize(
    ("status", "content", "found"),
    [
        (404, b"nothing", ""),
        (200, b"<title>secret.jpg</title>", "leaks let_in"),
        (404, b"no secret.jpg here", "leaks"),
        (200, b"a stored photo", "leaks let_in"),
        (204, b"", "let_in"),
        (500, b"", "errors let_in"),
    ],
)
def test_a_stranger_notes_what_should_not_come_back(status, content, found):
    answer = httpx.MockTransport(lambda request: httpx.Response(status, content=content))
    client = httpx.Client(base_url="http://127.0.0.1", transport=answer)
    stored = hashlib.sha256(b"a stored photo").hexdigest()
    stranger = access.Stranger("anonymous", client, ["secret.jpg"], {stored})
    stranger.ask("GET", "/analyses/1/", owned=True)

    noted = {name for name in ("leaks", "let_in", "errors") if getattr(stranger, name)}
    assert noted == set(found.split())


def test_a_pattern_without_an_address_is_noticed():
    with pytest.raises(KeyError):
        access.concrete("api/v1/diaries/<uuid:pk>/", {"analyses": 1}, access)


def test_no_machine_beyond_this_one_is_reached(tmp_path):
    code = (
        "import socket, urllib.request as u\n"
        "try: u.urlopen('http://example.org/', timeout=5)\n"
        "except OSError as error: print('name', error)\n"
        "try: socket.create_connection(('203.0.113.1', 80), timeout=5)\n"
        "except OSError as error: print('address', error.errno)\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "socket.create_connection(server.getsockname()).close(); print('here')\n"
    )
    noted = tmp_path / "outside.txt"
    folder = Path(report.__file__).parent / "only_here"
    environment = {"PYTHONPATH": str(folder), "MIEN_PROOF_OUTSIDE": str(noted)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60
    )
    said = done.stdout.splitlines()
    assert [line.split()[0] for line in said] == ["name", "address", "here"], done.stderr
    assert noted.read_text().splitlines() == ["example.org", "203.0.113.1"]
