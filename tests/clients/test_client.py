"""The Python client and the documentation's examples on a real site."""

import csv
import io
import json
import os
import re
import shlex
import subprocess
import sys
import textwrap
import threading
import time

import httpx
import pytest
from mien_client import Mien, MienError, command, videos
from mien_client.batch import Progress
from tusclient.client import TusClient

from tests.processes import ROOT
from tests.recognition.engine.clips import astronaut as astronaut_at
from tests.recognition.engine.clips import write

MAKE_KEY = """
from django.contrib.auth import get_user_model
from recognition.api import keys
user, _ = get_user_model().objects.get_or_create(username="program", email="program@example.org")
print(keys.create(user, "test", ["read", "analyze"])[1])
"""


@pytest.fixture(scope="module")
def access(live_site) -> dict[str, str]:
    """The environment variables of a program with a key."""
    key = live_site.manage("shell", "-v0", "-c", MAKE_KEY).strip().splitlines()[-1]
    return {"MIEN_SERVER": live_site.url, "MIEN_KEY": key}


@pytest.fixture
def mien(access):
    with Mien(access["MIEN_SERVER"], access["MIEN_KEY"], retry_seconds=5) as mien:
        yield mien


@pytest.fixture
def photos(tmp_path, astronaut, coffee):
    (tmp_path / "portrait.jpg").write_bytes(astronaut)
    (tmp_path / "group.jpg").write_bytes(coffee)
    return tmp_path


def test_a_photo_is_analyzed(mien, photos):
    analysis = mien.analyze(photos / "portrait.jpg")
    assert (analysis.status, analysis.title) == ("succeeded", "portrait.jpg")
    (face,) = analysis.faces
    assert face.probabilities[face.emotion] == max(face.probabilities.values())
    assert (face.quality, face.correction) == ((), None)
    assert mien.get(analysis.id) == analysis


def test_a_request_that_is_sent_twice_is_done_once(mien, astronaut):
    first, second = (mien.analyze(astronaut, idempotency_key="one") for _ in range(2))
    assert first.id == second.id


def test_a_photo_that_is_none_is_an_error_with_a_code(mien):
    with pytest.raises(MienError, match="a photo Mien can read") as error:
        mien.analyze(b"no photo")
    assert (error.value.code, error.value.status) == ("not_an_image", 415)


def test_a_wrong_key_is_an_error_in_words(live_site, astronaut):
    with Mien(live_site.url, "mien_wrong") as mien, pytest.raises(MienError) as error:
        mien.analyze(astronaut)
    assert error.value.code == "not_signed_in"


def test_deleting(mien, astronaut):
    analysis = mien.analyze(astronaut)
    mien.delete(analysis.id)
    with pytest.raises(MienError) as error:
        mien.get(analysis.id)
    assert error.value.status == 404


def answers(*responses: httpx.Response | Exception):
    """A transport with canned responses, one per request, that records the requests."""
    left, seen = list(responses), []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return httpx.MockTransport(handle), seen


def test_trouble_is_sat_out_with_the_same_idempotency_key(monkeypatch):
    pauses = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    state = {"id": "1", "status": "failed", "title": "photo", "width": None, "height": None}
    state |= {"model_version": None, "error": {"code": "x", "message": "y"}, "faces": []}
    transport, seen = answers(
        httpx.ConnectError("refused"),
        httpx.Response(503, headers={"Retry-After": "3"}, json={"code": "c", "detail": "d"}),
        httpx.Response(502, text="<html>"),
        httpx.Response(200, json={"analyses": [state], "errors": []}),
    )
    with Mien("http://mien.test", "key", transport=transport) as mien:
        analysis = mien.analyze(b"photo")
    assert analysis.error == {"code": "x", "message": "y"}
    assert len({request.headers["Idempotency-Key"] for request in seen}) == 1
    assert 3 in pauses


@pytest.mark.parametrize(
    ("retry_after", "expected"),
    [("7", 7), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.5), ("soon", 0.5), ("-3", 0.5)],
)
def test_a_limit_is_waited_for_as_the_server_says(monkeypatch, retry_after, expected):
    pauses = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    headers = {"Retry-After": retry_after}
    transport, _ = answers(httpx.Response(429, headers=headers), httpx.Response(200, json={}))
    with Mien("http://mien.test", "key", transport=transport) as mien:
        mien.me()
    assert pauses == [expected]


@pytest.mark.parametrize(
    ("server", "key", "code"),
    [("mien.test:8000", "key", "bad_server"), ("http://mien.test", "mien_…", "bad_key")],
)
def test_what_cannot_work_is_told_at_once(server, key, code):
    with pytest.raises(MienError) as error:
        Mien(server, key)
    assert error.value.code == code


def test_another_server_s_page_is_no_answer():
    transport, _ = answers(httpx.Response(200, text="<html>"))
    with (
        Mien("http://mien.test", "key", transport=transport) as mien,
        pytest.raises(MienError) as error,
    ):
        mien.me()
    assert error.value.code == "not_mien"


def test_a_server_that_is_gone_is_given_up_in_the_end():
    transport, _ = answers(httpx.ConnectError("refused"))
    with (
        Mien("http://mien.test", "key", retry_seconds=0, transport=transport) as mien,
        pytest.raises(MienError, match=r"can.t be reached"),
    ):
        mien.me()


def run(access, monkeypatch, *arguments: str) -> int:
    for name, value in access.items():
        monkeypatch.setenv(name, value)
    return command.main(list(arguments))


def test_the_command_prints_json(access, photos, monkeypatch, capsys):
    paths = [str(photos / name) for name in ("portrait.jpg", "group.jpg")]
    assert run(access, monkeypatch, "analyze", *paths, "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["file"] for line in lines] == paths
    assert [len(line["faces"]) for line in lines] == [1, 0]


def test_the_command_prints_a_row_for_each_face(access, photos, monkeypatch, capsys):
    assert run(access, monkeypatch, "analyze", str(photos / "portrait.jpg"), "--csv") == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    shares = {name: float(row[name]) for name in command.EMOTIONS}
    assert row["emotion"] == max(shares, key=shares.get)


def test_one_bad_photo_does_not_stop_the_others(access, photos, monkeypatch, capsys):
    (photos / "bad.jpg").write_bytes(b"no photo")
    names = ["bad.jpg", "missing.jpg", "portrait.jpg"]
    assert run(access, monkeypatch, "analyze", *(str(photos / name) for name in names)) == 1
    printed = capsys.readouterr()
    assert "portrait.jpg: 1 face" in printed.out
    assert "bad.jpg" in printed.err
    assert "missing.jpg" in printed.err


def test_a_canceled_photo_was_not_read(tmp_path, capsys):
    (tmp_path / "a.jpg").write_bytes(b"photo")
    state = {"id": "1", "status": "canceled", "title": "a.jpg", "width": None, "height": None}
    state |= {"model_version": None, "faces": [], "error": None}
    transport, _seen = answers(httpx.Response(200, json={"analyses": [state]}))
    writer = command.write_table()
    next(writer)
    with Mien("http://mien.test", "key", transport=transport) as mien:
        options = command.parser().parse_args(["analyze", str(tmp_path / "a.jpg")])
        progress = Progress(None)
        assert command.analyze_all(mien, options.photos, options, writer, progress) == 1
    assert capsys.readouterr().out == f"{tmp_path / 'a.jpg'}: Canceled.\n"


@pytest.mark.parametrize("cell", ["=1", "\n=1", "＝1"])
def test_no_cell_is_calculated(cell):
    assert command.safe(cell) == f"'{cell}"


def test_what_stops_every_photo_is_told_once(access, photos, monkeypatch, capsys):
    wrong = {**access, "MIEN_KEY": "mien_wrong"}
    paths = [str(photos / name) for name in ("portrait.jpg", "group.jpg")]
    assert run(wrong, monkeypatch, "analyze", *paths) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_reader_that_has_enough_is_no_error(access, photos):
    path = str(ROOT / "clients" / "python" / "src")
    analyze = [sys.executable, "-m", "mien_client.command", "analyze", "portrait.jpg"]
    done = subprocess.run(
        ["sh", "-c", f"{shlex.join(analyze)} | true"],
        cwd=photos,
        env={**os.environ, **access, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("form", "written"), [("--json", rb"na\udcefve.jpg"), ("--csv", rb"na\udcefve.jpg,")]
)
def test_a_name_that_is_not_utf_8_is_no_error(access, photos, form, written):
    (photos / "portrait.jpg").rename(photos / os.fsdecode(b"na\xefve.jpg"))
    done = subprocess.run(
        [sys.executable, "-m", "mien_client.command", "analyze", b"na\xefve.jpg", form],
        cwd=photos,
        env={
            **os.environ,
            **access,
            "PYTHONPATH": str(ROOT / "clients" / "python" / "src"),
            "PYTHONIOENCODING": "utf-8:strict",  # what a terminal usually has
        },
        capture_output=True,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert written in done.stdout


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_the_history_is_exported(mien, access, photos, monkeypatch, capsys, format):
    analysis = mien.analyze(photos / "portrait.jpg")
    path = photos / f"faces.{format}"
    options = ["--format", format, "--id", analysis.id, "-o", str(path)]
    assert run(access, monkeypatch, "export", *options) == 0
    assert capsys.readouterr().out == f"{path}: 1 row\n"
    assert analysis.id.encode() in path.read_bytes()
    assert mien._request("GET", "exports/")["results"] == []  # nothing is left on the server


def test_a_filter_that_means_nothing_is_an_error_in_words(access, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(access, monkeypatch, "export", "--emotion", "bored") == 1
    assert "bored" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def exported(*files: httpx.Response | Exception):
    """A server that finishes exports at once and gives this response for the file."""
    state = {"id": "1", "status": "succeeded", "rows_done": 1, "error": None}
    state["codebook_url"] = "/api/v1/exports/1/codebook/"
    deleted = httpx.Response(204)
    return answers(httpx.Response(202, json=state), *files, deleted)


def test_a_download_that_breaks_off_is_begun_anew(monkeypatch, tmp_path):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)

    class Torn(httpx.SyncByteStream):
        def __iter__(self):
            yield b"analysis,"
            raise httpx.ReadError("reset")

    transport, seen = exported(
        httpx.Response(200, stream=Torn()),
        httpx.Response(200, content=b"analysis,kind\n"),
        httpx.Response(200, content=b'{"fields": []}'),
    )
    with Mien("http://mien.test", "key", transport=transport) as mien:
        mien.export(tmp_path / "faces.csv")
    assert (tmp_path / "faces.csv").read_bytes() == b"analysis,kind\n"
    assert (tmp_path / "faces.schema.json").read_bytes() == b'{"fields": []}'
    assert [request.method for request in seen] == ["POST", "GET", "GET", "GET", "DELETE"]
    assert seen[0].headers["Idempotency-Key"]


def test_a_download_that_fails_leaves_the_older_file_alone(tmp_path):
    (tmp_path / "faces.csv").write_text("older")
    gone = {"code": "no_file", "detail": "It has no file."}
    transport, seen = exported(httpx.Response(404, json=gone))
    with (
        Mien("http://mien.test", "key", transport=transport) as mien,
        pytest.raises(MienError, match="no file"),
    ):
        mien.export(tmp_path / "faces.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["faces.csv"]
    assert (tmp_path / "faces.csv").read_text() == "older"
    assert seen[-1].method == "DELETE"


def test_without_a_server_the_command_says_what_is_missing(monkeypatch, capsys):
    monkeypatch.delenv("MIEN_SERVER", raising=False)
    assert command.main(["analyze", "photo.jpg"]) == 2
    assert "MIEN_SERVER" in capsys.readouterr().err


def test_a_folder_is_watched(tmp_path, monkeypatch, astronaut):
    monkeypatch.setattr(command, "LOOK_SECONDS", 0.05)
    (tmp_path / "old.jpg").write_bytes(astronaut)
    found = command.arriving(tmp_path)
    first = []
    watching = threading.Thread(target=lambda: first.append(next(found)))
    watching.start()
    time.sleep(0.2)
    (tmp_path / "new.jpg").write_bytes(astronaut)
    (tmp_path / "notes.txt").write_text("no photo")
    watching.join(10)
    assert first == [tmp_path / "new.jpg"]


def examples(language: str) -> list[str]:
    pages = ("reference/api.md", "how-to/use-the-api.md", "how-to/export-your-data.md")
    text = "".join((ROOT / "docs" / page).read_text() for page in pages)
    found = re.findall(rf"^ *```{language}\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(example) for example in found]


@pytest.mark.parametrize("example", examples("sh"))
def test_the_examples_for_curl_work(access, photos, example):
    environment = {**os.environ, **access}
    command = ["bash", "-euc", example]
    done = subprocess.run(command, cwd=photos, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


@pytest.mark.parametrize("example", examples("python"))
def test_the_examples_for_python_work(access, photos, example):
    path = str(ROOT / "clients" / "python" / "src")
    environment = {**os.environ, **access, "PYTHONPATH": path}
    command = [sys.executable, "-c", example]
    done = subprocess.run(command, cwd=photos, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] in done.stdout


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    pictures = (astronaut_at(n / 10) for n in range(20))
    return write(tmp_path_factory.mktemp("clips") / "clip.mp4", pictures, rate=10)


def test_a_video_is_sent_in_pieces_and_read(mien, clip, monkeypatch):
    monkeypatch.setattr(videos, "PIECE_BYTES", 20_000)
    shares = []
    analysis = mien.analyze_video(clip, fps=None, on_progress=shares.append)
    assert (analysis.status, analysis.title) == ("succeeded", "clip.mp4")
    (track,) = analysis.tracks
    assert (track.frames, track.emotion) == (20, "happy")
    assert len(shares) > 3
    assert shares == sorted(shares)


def test_a_piece_whose_answer_was_lost_is_not_sent_again(mien, clip, monkeypatch):
    """The connection breaks after the server has taken the first piece."""
    monkeypatch.setattr(videos, "PIECE_BYTES", 20_000)
    patch, calls = mien._http.patch, []

    def unlucky(*arguments, **options):
        response = patch(*arguments, **options)
        calls.append(response.status_code)
        if len(calls) == 1:
            raise httpx.ReadError("the connection was cut")
        return response

    monkeypatch.setattr(mien._http, "patch", unlucky)
    assert mien.analyze_video(clip).status == "succeeded"
    assert calls.count(409) == 1


def test_the_command_reads_videos(access, clip):
    command = [sys.executable, "-m", "mien_client.command", "analyze", str(clip), "--fps", "all"]
    environment = {**os.environ, **access, "PYTHONPATH": str(ROOT / "clients/python/src")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "face 1, 0.0 to 1.9 s: happy" in done.stdout


def test_a_public_client_of_the_protocol_uploads_a_video(live_site, access, clip):
    key = {"Authorization": f"Bearer {access['MIEN_KEY']}"}
    client = TusClient(f"{live_site.url}/api/v1/uploads/", headers=key)
    upload = client.uploader(
        str(clip), chunk_size=30_000, metadata={"filename": "by tuspy.mp4"}, upload_checksum=True
    )
    upload.upload()
    state = httpx.get(upload.url, headers=key).json()
    assert (state["offset"], state["name"]) == (clip.stat().st_size, "by tuspy.mp4")
    analysis = httpx.get(f"{live_site.url}/api/v1/analyses/{state['analysis']}/", headers=key)
    assert analysis.json()["kind"] == "video"
