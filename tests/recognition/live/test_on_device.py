"""Faces read by the scripts that browsers run, compared with the engine's; what browsers load."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from recognition.engine.sessions import WEIGHTS
from recognition.registry import registry
from tests.browser.camera import draw, portrait
from tests.browser.photos import write_photos
from tests.processes import ROOT
from tests.recognition.live.device_frames import EngineSession, as_frame, assert_agreement
from tests.recognition.versions import damage, tiny

NODE = shutil.which("node", path=f"{ROOT}/.venv/bin{os.pathsep}{os.environ['PATH']}")


def read_in_node(
    sessions: list[list[Image.Image]], min_face: int, folder: Path
) -> list[list[dict]]:
    """What the browser's scripts read in each session's frames, ten a second, run by Node."""
    if NODE is None or not (ROOT / "node_modules" / "onnxruntime-web").is_dir():
        pytest.skip("no Node with the front-end packages")
    requests = []
    for number, frames in enumerate(sessions):
        files = [folder / f"{number}-{at}.rgb" for at in range(len(frames))]
        for file, frame in zip(files, frames, strict=True):
            file.write_bytes(frame.tobytes())
        width, height = frames[0].size
        names = [str(file) for file in files]
        requests.append({"frames": names, "width": width, "height": height, "min_face": min_face})
    listed = folder / "requests.json"
    listed.write_text(json.dumps(requests))
    command = [NODE, "tests/js/read-faces.mjs", str(listed)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)


@pytest.mark.parametrize(("min_face", "faces"), [(60, 3), (24, 20)])
def test_photos_are_read_as_the_engine_reads_them(tmp_path, min_face, faces):
    photos = write_photos(tmp_path)
    names = ["portrait", "pair", "crowd", "hundred", "no_face"]
    frames = [as_frame(Image.open(photos[name])) for name in names]

    readings = read_in_node([[frame] for frame in frames], min_face, tmp_path)

    found = 0
    for name, frame, (reading,) in zip(names, frames, readings, strict=True):
        found += assert_agreement(EngineSession(min_face).read(frame, 0.0), reading, name)
    assert found >= faces


@pytest.mark.parametrize("min_face", [60, 32])
def test_portraits_of_many_people_are_read_as_the_engine_reads_them(tmp_path, min_face):
    folder = Path(os.environ.get("MIEN_TEST_FACES", ROOT.parent / "shared" / "faces"))
    files = sorted(folder.glob("*.jpg"))
    if not files:
        pytest.skip("no face photos: MIEN_TEST_FACES names no folder with *.jpg")
    frames = [as_frame(Image.open(file)) for file in files]

    readings = read_in_node([[frame] for frame in frames], min_face, tmp_path)

    for file, frame, (reading,) in zip(files, frames, readings, strict=True):
        assert_agreement(EngineSession(min_face).read(frame, 0.0), reading, file.name)


def test_moving_faces_are_followed_as_the_engine_follows_them(tmp_path):
    one, two = portrait(400), portrait(270)
    clips = [
        [draw(one, 1, 0.05 * number) for number in range(12)],
        [draw(two, 2, 0.05 * number) for number in range(12)],
        [draw(one, 1, 0.0), draw(None, 0, 0.0), draw(one, 1, 0.3), draw(one, 1, 0.4)],
    ]

    readings = read_in_node(clips, 60, tmp_path)

    for number, (frames, read) in enumerate(zip(clips, readings, strict=True)):
        session = EngineSession(60)
        for at, (frame, reading) in enumerate(zip(frames, read, strict=True)):
            assert_agreement(session.read(frame, at / 10), reading, f"{number}, frame {at}")
        assert session.followed > 0 or number == 2


def test_a_visitor_loads_nothing(client, user):
    answer = client.get("/live/networks/")
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/accounts/login/")
    digest = hashlib.sha256((WEIGHTS / "pnet.onnx").read_bytes()).hexdigest()
    assert client.get(f"/live/networks/{digest}.onnx").status_code == 302


def test_the_networks_are_those_that_the_engine_uses(signed_in):
    registry.register_shipped_model()
    manifest = signed_in.get("/live/networks/").json()
    files = {
        "proposal": "pnet",
        "refinement": "rnet",
        "output": "onet",
        "covered": "covered",
        "expression": "expression.int8",
    }

    assert manifest["networks"].keys() == files.keys()
    for name, address in manifest["networks"].items():
        answer = signed_in.get(address)
        assert answer.content == (WEIGHTS / f"{files[name]}.onnx").read_bytes()
        assert "immutable" in answer["Cache-Control"]
        assert "private" in answer["Cache-Control"]
    total = sum((WEIGHTS / f"{file}.onnx").stat().st_size for file in files.values())
    assert total < 4.2e6


def test_a_network_that_the_browser_has_is_not_sent_again(signed_in):
    registry.register_shipped_model()
    address = signed_in.get("/live/networks/").json()["networks"]["output"]
    tag = signed_in.get(address)["ETag"]

    assert signed_in.get(address, headers={"if-none-match": tag}).status_code == 304


def test_a_promotion_reaches_browsers_that_start_afterwards(signed_in):
    before = signed_in.get("/live/networks/").json()
    version = tiny()
    registry.promote(version, confirmed=True)
    after = signed_in.get("/live/networks/").json()

    assert after["model_version"] == version.number != before["model_version"]
    address = after["networks"]["expression"]
    # Without an int8 file the one of 32 bits is sent.
    assert address == f"/live/networks/{version.sha256}.onnx"
    with version.onnx.open() as file:
        assert signed_in.get(address).content == file.read()
    # A page that has been open since before goes on with what it knows.
    assert signed_in.get(before["networks"]["expression"]).status_code == 200


def test_there_is_no_other_file_to_be_had(signed_in):
    for name in (f"{'0' * 64}.onnx", "expression.onnx", "../views.py"):
        assert signed_in.get(f"/live/networks/{name}").status_code == 404


def test_a_file_that_was_changed_is_not_sent(signed_in):
    version = tiny()
    damage(version)

    assert signed_in.get(f"/live/networks/{version.sha256}.onnx").status_code == 503
