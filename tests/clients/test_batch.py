"""Many photos: folders, several at once, and going on after a break; tables and live sessions."""

import json
import threading
import time

import cv2
import nbformat
import numpy as np
import pandas
import pytest
import skimage.data
from mien_client import Mien, MienError
from mien_client.batch import Progress, analyze_in_order, photos_in
from mien_client.client import Analysis
from mien_client.command import main
from mien_client.faces import COLUMNS as CLIENT_COLUMNS
from mien_client.live import stream
from nbclient import NotebookClient

from recognition.history.tables import COLUMNS
from tests.clients.test_client import MAKE_KEY
from tests.processes import ROOT


@pytest.fixture(scope="module")
def access(live_site) -> tuple[str, str]:
    return live_site.url, live_site.manage("shell", "-v0", "-c", MAKE_KEY).strip().splitlines()[-1]


@pytest.fixture
def folder(tmp_path, astronaut, coffee):
    """Two photos with a face and one without, and a file that is none."""
    (tmp_path / "photos" / "more").mkdir(parents=True)
    for name, content in {
        "b.jpg": coffee,
        "a.JPG": astronaut,
        "more/c.jpg": astronaut,
        "notes.txt": b"no photo",
    }.items():
        (tmp_path / "photos" / name).write_bytes(content)
    return tmp_path / "photos"


def run(access, *arguments: str) -> int:
    server, key = access
    return main(["--server", server, "--key", key, *map(str, arguments)])


def result(title: str) -> Analysis:
    state = dict.fromkeys(("width", "height", "model_version", "error"))
    return Analysis.read({"id": title, "status": "succeeded", "title": title, "faces": [], **state})


def test_folders_are_walked_for_photos_in_order(folder):
    names = [path.relative_to(folder).as_posix() for path in photos_in([folder])]
    assert names == ["a.JPG", "b.jpg", "more/c.jpg"]


def test_several_are_analyzed_at_once_and_the_order_is_kept():
    together, most, lock = 0, 0, threading.Lock()

    def analyze(path):
        nonlocal together, most
        with lock:
            together += 1
            most = max(most, together)
        time.sleep(0.05 if path % 3 else 0.15)
        with lock:
            together -= 1
        return path

    done = [outcome for _path, outcome in analyze_in_order(analyze, range(20), 4)]
    assert done == list(range(20))
    assert most == 4


def test_an_error_takes_the_place_of_its_photo():
    def analyze(path):
        if path == 2:
            raise OSError("gone")
        return path

    outcomes = [outcome for _path, outcome in analyze_in_order(analyze, range(4), 2)]
    assert [type(outcome).__name__ for outcome in outcomes] == ["int", "int", "OSError", "int"]


def test_endless_photos_are_not_read_ahead():
    taken = []

    def endless():
        for number in range(10_000):
            taken.append(number)
            yield number

    for path, _outcome in analyze_in_order(lambda path: path, endless(), 2):
        if path == 5:
            break
    assert len(taken) < 15


def test_what_is_finished_is_remembered(folder, tmp_path):
    photo = folder / "b.jpg"
    with Progress(tmp_path / "done.jsonl") as progress:
        progress.add(photo, result("b"))
    with (tmp_path / "done.jsonl").open("a") as file:
        file.write('{"file": "cut')
    with Progress(tmp_path / "done.jsonl") as progress:
        assert progress.get(photo).title == "b"
        assert progress.get(folder / "a.JPG") is None
        photo.write_bytes(b"another photo")
        assert progress.get(photo) is None


def test_a_folder_is_analyzed_and_resumed(access, folder, tmp_path, capsys):
    done = tmp_path / "done.jsonl"
    assert run(access, "analyze", folder, "--json", "--resume", done) == 0
    first = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [len(line["faces"]) for line in first] == [1, 0, 1]
    assert run(access, "analyze", folder, "--json", "--resume", done) == 0
    second = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["id"] for line in second] == [line["id"] for line in first]


def test_options_reach_the_server(access, folder, capsys):
    assert run(access, "analyze", folder / "b.jpg", "--json", "--faces", "whole") == 0
    (face,) = json.loads(capsys.readouterr().out)["faces"]
    assert "whole_picture" in face["quality"]


def test_faces_come_page_by_page_and_as_a_table(access, astronaut):
    with Mien(*access) as mien:
        for title in ("one", "two", "three"):
            mien.analyze(astronaut, title=title, tags=["table"])
        faces = mien.faces(page_size=2)
        listed = list(faces)
        table = faces.to_pandas()
    assert len(listed) >= 3
    exported = [name for name in COLUMNS if name != "markers" and not name.startswith("relative_")]
    assert list(table.columns) == exported == CLIENT_COLUMNS
    assert len(table) == len(listed)
    assert {"one", "two", "three"} <= set(table["title"])
    assert isinstance(table["created_at"].dtype, pandas.DatetimeTZDtype)
    row = table[table["title"] == "two"].iloc[0]
    assert (row["face"], row["tags"], row["kind"]) == (1, ["table"], "image")
    assert row["probability"] == row[row["emotion"]]


def write_video(path, frames: int = 12) -> str:
    face = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
    size = (512, 512)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, size)
    for number in range(frames):
        writer.write(np.roll(face, 2 * number, axis=1))
    writer.release()
    return str(path)


def test_a_video_is_streamed_frame_by_frame(access, tmp_path):
    replies = list(stream(*access, write_video(tmp_path / "clip.avi"), rate=10))
    assert [reply["sequence"] for reply in replies] == list(range(1, 13))
    assert [reply["time"] for reply in replies] == sorted(reply["time"] for reply in replies)
    results = [reply for reply in replies if reply["type"] == "frame.result"]
    assert results
    assert {len(reply["faces"]) for reply in results} == {1}


def test_the_command_prints_a_line_per_frame(access, tmp_path, capsys):
    assert run(access, "live", write_video(tmp_path / "clip.avi", 4)) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 4


def test_a_file_that_is_no_video_is_an_error_in_words(access, tmp_path):
    (tmp_path / "clip.avi").write_text("no video")
    with pytest.raises(MienError, match="can't be opened"):
        list(stream(*access, str(tmp_path / "clip.avi")))


def test_a_key_without_the_scope_is_an_error_in_words(live_site, tmp_path):
    only_read = MAKE_KEY.replace('"read", "analyze"', '"read"')
    key = live_site.manage("shell", "-v0", "-c", only_read).strip().splitlines()[-1]
    with pytest.raises(MienError, match="scope analyze"):
        list(stream(live_site.url, key, write_video(tmp_path / "clip.avi")))


def test_the_example_notebook_runs(access, folder, monkeypatch):
    monkeypatch.setenv("MIEN_SERVER", access[0])
    monkeypatch.setenv("MIEN_KEY", access[1])
    monkeypatch.setenv("MIEN_PHOTOS", str(folder))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "clients" / "python" / "src"))
    path = ROOT / "clients" / "python" / "examples" / "expressions.ipynb"
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=120).execute()
    printed = "".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", [])
    )
    assert "b.jpg []" in printed
