"""The process that reads videos: answers by number, limited, and gone with its parent."""

import base64
import json
import subprocess
import sys

import pytest

from recognition.engine import confinement
from tests.processes import ROOT
from tests.recognition.engine.clips import astronaut, write


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    return write(path, (astronaut(n / 10) for n in range(20)), rate=10)


def ask(*requests: dict, memory_mb: int = 3072) -> list[dict]:
    """The lines that a reader prints for these requests."""
    command = [sys.executable, "-m", "recognition.engine.reader", str(memory_mb), "1024"]
    text = "".join(json.dumps({"number": n, **one}) + "\n" for n, one in enumerate(requests, 1))
    done = subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_video_is_inspected_and_divided(clip):
    options = {"fps": 5, "start": 0, "end": None, "samples": 300}
    facts, picture, done = ask({"do": "inspect", "path": str(clip), **options})
    header = facts["header"]
    assert (header["width"], header["height"], header["frames"]) == (640, 360, 20)
    assert [part["planned"] for part in facts["stretches"]] == [10]
    assert base64.b64decode(picture["thumbnail"])[:2] == b"\xff\xd8"
    assert done == {"to": 1, "done": True}


def test_a_video_is_read_with_pictures_of_its_faces(clip):
    request = {"do": "read", "path": str(clip), "model": None, "width": 640, "height": 360}
    *samples, pictures, done = ask({**request, "fps": 5})
    assert [sample["number"] for sample in samples] == list(range(0, 20, 2))
    track, _x, _y, _width, _height, score, sharpness, probabilities, measures, covered = samples[0][
        "faces"
    ][0]
    assert len(measures) == 10
    assert covered < 0.5
    assert (track, len(probabilities), sharpness > 0) == (1, 7, True)
    assert score > 0.9
    assert len(base64.b64decode(samples[0]["look"])) == 24 * 24 * 3
    assert list(pictures["pictures"]) == ["1"]
    assert done["done"]


def test_answers_have_the_number_of_their_request(clip, tmp_path):
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    options = {"fps": 5, "start": 0, "end": None, "samples": 300}
    lines = ask(
        {"do": "inspect", "path": str(bad), **options},
        {"do": "inspect", "path": str(clip), **options},
    )
    assert lines[0] == {
        "to": 1,
        "error": {"code": "not_a_video", "message": lines[0]["error"]["message"]},
    }
    assert {line["to"] for line in lines[1:]} == {2}


def test_a_copy_tells_its_kind(clip, tmp_path):
    target = tmp_path / "copy"
    lines = ask({"do": "copy", "path": str(clip), "target": str(target), "audio": True})
    assert (lines[0]["kind"], lines[-1]["done"]) == ("mp4", True)
    assert target.stat().st_size > 1000


def test_too_little_memory_ends_only_the_reader(clip):
    request = {"do": "read", "path": str(clip), "model": None, "width": 640, "height": 360}
    lines = ask({**request, "fps": 5}, memory_mb=200)
    assert not any("done" in line for line in lines)


def test_each_video_has_a_child_of_its_own(clip, tmp_path):
    """A decoder in wrong hands could show somebody's video to somebody else."""
    other = tmp_path / "other.mp4"
    other.write_bytes(clip.read_bytes())
    code = """
import sys
from recognition.engine import reader

def inspect(path, other):
    try:
        open(other).close()
        yield {"other": "read"}
    except OSError as error:
        yield {"other": type(error).__name__}
    try:
        import socket
        socket.socket()
        yield {"network": "there"}
    except OSError as error:
        yield {"network": type(error).__name__}
    yield {"own": len(open(path, "rb").read())}

reader._inspect = inspect
sys.argv[1:] = ["3072", "1024"]
sys.exit(reader.main())
"""
    requests = [
        {"do": "inspect", "path": str(one), "other": str(two), "number": 1}
        for one, two in ((clip, other), (other, clip))
    ]
    text = "".join(f"{json.dumps(request)}\n" for request in requests)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, input=text, capture_output=True, text=True
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    size = clip.stat().st_size
    if not confinement.missing():
        assert [line.get("other", line.get("network")) for line in lines if "own" not in line] == [
            *["PermissionError", "PermissionError", None] * 2
        ]
    assert [line["own"] for line in lines if "own" in line] == [size, size]


def test_what_crashes_on_a_video_ends_the_reader(tmp_path):
    code = """
import ctypes, sys
from recognition.engine import reader
reader._inspect = lambda path: iter([ctypes.string_at(0)])
sys.argv[1:] = ["3072", "1024"]
sys.exit(reader.main())
"""
    request = json.dumps({"do": "inspect", "path": str(tmp_path), "number": 1})
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, input=f"{request}\n", capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, "")
