"""python -m recognition.engine prints every photo in order, even if some can't be read."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import skimage.data
from PIL import Image

from recognition.engine.__main__ import main
from recognition.engine.emotions import EMOTIONS
from tests.recognition.engine.clips import astronaut, write

from .conftest import ROOT


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """face.jpg, none.png, and bad.jpg in the current folder."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(skimage.data.astronaut()).save("face.jpg")
    Image.fromarray(skimage.data.coffee()).save("none.png")
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff but no more")
    return tmp_path


def lines(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_photo_is_one_json_line(photos, capsys):
    assert main(["face.jpg", "--json"]) == 0
    (line,) = lines(capsys)
    assert list(line) == ["file", "width", "height", "faces", "milliseconds", "error"]
    assert (line["file"], line["width"], line["height"]) == ("face.jpg", 512, 512)
    assert line["error"] is None
    assert set(line["milliseconds"]) == {"decode", "detect", "classify", "measure"}
    (face,) = line["faces"]
    assert set(face) == {
        *("box", "score", "landmarks", "probabilities", "emotion"),
        *("whole_picture", "measures", "covered"),
    }
    assert set(face["box"]) == {"x", "y", "width", "height"}
    assert set(face["landmarks"]) == {
        "left_eye",
        "right_eye",
        "nose",
        "mouth_left",
        "mouth_right",
    }
    assert tuple(face["probabilities"]) == EMOTIONS
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert face["probabilities"][face["emotion"]] == max(face["probabilities"].values())


def test_photos_are_answered_in_the_order_given(photos, capsys):
    assert main(["none.png", "face.jpg", "none.png", "--json"]) == 0
    answers = lines(capsys)
    assert [line["file"] for line in answers] == ["none.png", "face.jpg", "none.png"]
    assert [len(line["faces"]) for line in answers] == [0, 1, 0]


def test_a_bad_file_gets_its_line_and_the_rest_go_on(photos, capsys):
    assert main(["bad.jpg", "missing.jpg", "face.jpg", "--json"]) == 1
    answers = lines(capsys)
    codes = [line["error"] and line["error"]["code"] for line in answers]
    assert codes == ["truncated_image", "unreadable_file", None]
    assert [len(line["faces"]) for line in answers] == [0, 0, 1]


@pytest.mark.parametrize("options", [["--json"], []], ids=["json", "text"])
def test_a_name_that_cannot_be_written_does_not_stop_the_rest(photos, options):
    name = b"caf\xe9.jpg"
    (photos / os.fsdecode(name)).write_bytes(b"")
    command = [sys.executable, "-m", "recognition.engine", name, "missing.jpg", *options]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8:strict"}
    done = subprocess.run(command, cwd=photos, env=environment, capture_output=True, text=True)

    assert done.returncode == 1, done.stderr
    assert len(done.stdout.splitlines()) == 2
    if options:
        assert os.fsencode(json.loads(done.stdout.splitlines()[0])["file"]) == name


def test_without_json_it_speaks_to_people(photos, capsys):
    assert main(["face.jpg", "none.png", "bad.jpg"]) == 1
    output = capsys.readouterr().out
    assert "face.jpg: 512 × 512 pixels, 1 face\n" in output
    assert "none.png: 600 × 400 pixels, no faces\n" in output
    assert "bad.jpg: The photo is incomplete or damaged" in output


def test_the_smallest_face_can_be_set(photos, capsys):
    assert main(["face.jpg", "--json", "--min-face", "200"]) == 0
    assert lines(capsys)[0]["faces"] == []


@pytest.mark.parametrize("size", ["0", "11", "-5", "1281", "many", "32.5", ""])
def test_a_smallest_face_that_makes_no_sense_is_refused(photos, capsys, size):
    with pytest.raises(SystemExit) as caught:
        main(["face.jpg", f"--min-face={size}"])
    assert caught.value.code == 2
    assert "whole number from 12 to 1280" in capsys.readouterr().err


def test_it_runs_as_a_module_without_django_or_tensorflow(photos):
    script = (
        "import runpy, sys; sys.argv = ['engine', 'face.jpg', '--json']\n"
        "try: runpy.run_module('recognition.engine', run_name='__main__', alter_sys=True)\n"
        "except SystemExit as end: assert end.code == 0\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        "assert not loaded & {'django', 'celery', 'channels', 'tensorflow', 'keras'}, loaded\n"
    )
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=photos, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["faces"]) == 1


def test_a_folder_is_walked_in_order(photos, capsys):
    (photos / "more").mkdir()
    (photos / "face.jpg").rename(photos / "more" / "face.JPG")
    (photos / "notes.txt").write_text("no photo")
    assert main([".", "--json"]) == 1
    assert [line["file"] for line in lines(capsys)] == ["bad.jpg", "more/face.JPG", "none.png"]


def test_a_folder_without_photos_is_said(tmp_path, capsys):
    assert main([str(tmp_path)]) == 1
    assert "No photos" in capsys.readouterr().err


def test_a_dash_reads_standard_input(photos):
    command = [sys.executable, "-m", "recognition.engine", "-", "--json"]
    with open("face.jpg", "rb") as photo:
        done = subprocess.run(command, cwd=ROOT, stdin=photo, capture_output=True, text=True)
    assert (done.returncode, len(json.loads(done.stdout)["faces"])) == (0, 1)


def test_a_table_has_a_row_for_each_face(photos, capsys):
    assert main(["face.jpg", "none.png", "bad.jpg", "--csv"]) == 1
    face, none, bad = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (face["file"], face["face"], face["emotion"]) == ("face.jpg", "1", "happy")
    assert float(face["probability"]) == max(float(face[emotion]) for emotion in EMOTIONS)
    assert (none["photo_width"], none["face"], none["error"]) == ("600", "", "")
    assert (bad["photo_width"], bad["error"]) == ("", "truncated_image")


def test_several_processes_keep_the_order(photos, capsys):
    assert main(["none.png", "face.jpg", "none.png", "face.jpg", "--json", "--jobs", "2"]) == 0
    assert [len(line["faces"]) for line in lines(capsys)] == [0, 1, 0, 1]


def test_several_processes_work_from_the_command_line(photos):
    """Started by its name, the module is __main__, which other processes can't import."""
    command = [sys.executable, "-m", "recognition.engine", "face.jpg", "none.png", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, "--jobs", "2"], capture_output=True, text=True, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [len(json.loads(line)["faces"]) for line in done.stdout.splitlines()] == [1, 0]


def test_a_whole_picture_is_told(photos, capsys):
    assert main(["none.png", "--faces", "whole"]) == 0
    assert "the whole picture" in capsys.readouterr().out


def test_a_video_has_a_line_for_each_sampled_frame(photos, capsys):
    write(Path("clip.mp4"), (astronaut(n / 10) for n in range(20)), rate=10)
    assert main(["clip.mp4", "face.jpg", "--json", "--fps", "5"]) == 0
    *frames, photo = lines(capsys)
    assert [line["time"] for line in frames] == pytest.approx([n / 5 for n in range(10)])
    assert [line["frame"] for line in frames] == list(range(0, 20, 2))
    assert {face["track"] for line in frames for face in line["faces"]} == {1}
    assert sum(frames[3]["faces"][0]["smoothed"].values()) == pytest.approx(1, abs=1e-4)
    assert (photo["file"], "time" in photo) == ("face.jpg", False)


def test_a_part_of_a_video_as_a_table(photos, capsys):
    write(Path("clip.mp4"), (astronaut(n / 10) for n in range(20)), rate=10)
    assert main(["clip.mp4", "--csv", "--fps", "all", "--start", "0.5", "--end", "1"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["frame"], row["track"]) for row in rows] == [(str(n), "1") for n in range(5, 10)]


def test_an_animation_is_a_photo_unless_asked(photos, capsys):
    pictures = [Image.fromarray(astronaut(n / 4)) for n in range(4)]
    pictures[0].save("a.gif", save_all=True, append_images=pictures[1:], duration=250)
    assert main(["a.gif", "--json"]) == 0
    assert len(lines(capsys)) == 1
    assert main(["a.gif", "--json", "--fps", "all", "--animations"]) == 0
    assert len(lines(capsys)) == 4


@pytest.mark.parametrize("wrong", [("--fps", "0.1"), ("--fps", "many"), ("--start", "-1")])
def test_sampling_that_makes_no_sense_is_refused(photos, capsys, wrong):
    with pytest.raises(SystemExit):
        main(["face.jpg", *wrong])
    assert wrong[0] in capsys.readouterr().err


def test_a_broken_video_says_why(photos, capsys):
    Path("bad.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(200))
    assert main(["bad.mp4", "--json"]) == 1
    assert lines(capsys)[0]["error"]["code"] == "broken_video"
