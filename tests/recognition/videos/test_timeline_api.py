"""Tracks, series, boxes, markers and files of a video through the API."""

import csv
import io

import numpy as np
import pytest

from recognition.engine.emotions import EMOTIONS
from recognition.history import tables
from recognition.models import Face, Track
from tests.recognition.videos.rows import make_video

pytestmark = pytest.mark.django_db


@pytest.fixture
def video(user, shipped):
    return make_video(user)


@pytest.fixture
def api(signed_in, video):
    """Requests below the video's address."""

    def call(method: str, path: str, body: object = None):
        address = f"/api/v1/analyses/{video.pk}/{path}"
        return getattr(signed_in, method)(address, body, content_type="application/json")

    return call


def tracks(api) -> list[dict]:
    return api("get", "tracks/").json()["tracks"]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_track_has_a_summary(api):
    (track,) = tracks(api)
    assert (track["number"], track["frames"], track["first"], track["last"]) == (1, 20, 0, 3.8)
    assert track["seconds"] == 4
    happy, sad = track["expressions"]["happy"], track["expressions"]["sad"]
    assert happy["share"] + sad["share"] == pytest.approx(1, abs=1e-3)
    assert happy["share"] == pytest.approx(0.5, abs=0.06)
    assert len(happy["episodes"]) == len(sad["episodes"]) == 1
    assert happy["episodes"][0]["start"] == 0
    assert sad["episodes"][0]["end"] == 4
    assert sum(track["probabilities"].values()) == pytest.approx(1, abs=1e-3)


def test_a_track_tells_what_the_face_did(api):
    """Five frames a second: too few to count blinks."""
    (track,) = tracks(api)
    movement = track["movement"]
    assert (movement["seconds"], movement["blinks"], movement["turned"]) == (3.8, None, 0)
    assert movement["mouth"] == pytest.approx(0.5)  # a tenth of its range, five times a second
    assert (movement["measures"]["yaw"], movement["measures"]["gaze_x"]) == (10.0, None)


def test_a_track_from_before_the_measures_tells_nothing(api, video):
    video.faces.update(measures=None)
    (track,) = tracks(api)
    assert track["movement"] is None
    (series,) = api("get", "series/").json()["series"]
    assert series["measures"]["yaw"] == [None] * 20


def test_a_series_has_the_measures_too(api):
    (series,) = api("get", "series/").json()["series"]
    assert series["measures"]["roll"] == list(range(20))
    assert series["measures"]["gaze_y"] == [None] * 20
    (few,) = api("get", "series/?points=4").json()["series"]
    assert few["measures"]["roll"] == pytest.approx([2, 7, 12, 17], abs=0.6)


def test_episodes_depend_on_the_threshold(api):
    (track,) = api("get", "tracks/?threshold=0.95").json()["tracks"]
    assert track["expressions"]["happy"]["episodes"] == []


def test_a_series_is_smoothed_and_thinned_out(api):
    (series,) = api("get", "series/").json()["series"]
    assert len(series["times"]) == 20
    raw, smoothed = series["probabilities"]["sad"], series["smoothed"]["sad"]
    assert raw[9:12] == [0.02, 0.6, 0.6]
    assert 0.02 < smoothed[10] < smoothed[11] < 0.6
    (few,) = api("get", "series/?points=4").json()["series"]
    assert len(few["times"]) == 4
    assert few["probabilities"]["happy"][0] == pytest.approx(0.8)
    (part,) = api("get", "series/?start=1&end=2").json()["series"]
    assert part["times"] == [1, 1.2, 1.4, 1.6, 1.8]
    assert api("get", "series/?track=7").json()["series"] == []
    assert api("get", "series/?points=1").status_code == 400


def test_boxes_are_those_of_each_sample(api):
    answer = api("get", "boxes/?start=1&end=2").json()
    assert answer["emotions"] == list(EMOTIONS)
    assert [row[0] for row in answer["boxes"]] == [1, 1.2, 1.4, 1.6, 1.8]
    _time, track, x, y, width, height, emotion, probability = answer["boxes"][0]
    assert (track, x, y, width, height) == (1, 105, 50, 80, 100)
    assert (EMOTIONS[emotion], probability) == ("happy", pytest.approx(0.8, abs=0.01))
    assert api("get", "boxes/?start=1").status_code == 400


def test_a_track_is_named(api):
    assert api("patch", "tracks/1/", {"name": "Ada"}).json()["tracks"][0]["name"] == "Ada"
    assert tracks(api)[0]["name"] == "Ada"
    assert api("patch", "tracks/7/", {"name": "Ada"}).status_code == 404


def test_what_is_no_face_has_no_box_and_no_row(api, video):
    api("patch", "tracks/1/", {"not_a_face": True})
    assert api("get", "boxes/?start=0&end=4").json()["boxes"] == []
    assert rows(tables.write_faces(video)) == []
    assert tracks(api)[0]["not_a_face"]


def test_a_track_is_split_and_merged_again(api, video):
    first, second = api("post", "tracks/1/split/", {"time": 2.0}).json()["tracks"]
    assert (first["last"], second["number"], second["first"]) == (1.8, 2, 2.0)
    assert api("post", "tracks/1/split/", {"time": 99}).json()["code"] == "nothing_to_split"
    (whole,) = api("post", "tracks/1/merge/", {"track": 2}).json()["tracks"]
    assert whole["frames"] == 20
    assert api("post", "tracks/1/merge/", {"track": 1}).json()["code"] == "same_track"
    assert Track.objects.get(analysis=video).number == 1


def test_a_neutral_moment_makes_the_rest_relative(api, video):
    (track,) = api("put", "tracks/1/baseline/", {"start": 0.0, "end": 1.0}).json()["tracks"]
    # Who is always a little happy is neutral then, and sad when that changes.
    assert track["expressions"]["neutral"]["share"] == pytest.approx(0.5, abs=0.11)
    assert track["expressions"]["sad"]["share"] == pytest.approx(0.5, abs=0.11)
    (raw,) = api("get", "series/?raw=true").json()["series"]
    assert raw["probabilities"]["happy"][0] == pytest.approx(0.8)
    exported = rows(tables.write_faces(video))
    assert float(exported[0]["happy"]) == pytest.approx(0.8)
    assert float(exported[0]["relative_neutral"]) == pytest.approx(0.4, abs=0.02)
    (track,) = api("delete", "tracks/1/baseline/").json()["tracks"]
    assert track["baseline"] is None
    assert rows(tables.write_faces(video))[0]["relative_neutral"] == ""


def test_a_baseline_needs_a_face(api):
    assert api("put", "tracks/1/baseline/", {"start": 60}).json()["code"] == "no_face_there"


def test_tracks_stay_as_they_are_while_a_video_is_read(api, video):
    video.status = "running"
    video.save()
    assert api("patch", "tracks/1/", {"name": "Ada"}).json()["code"] == "not_finished"


def test_markers_are_added_changed_and_deleted(api):
    made = api("post", "markers/", {"label": "smiles", "start": 0.5, "end": 1.5})
    assert made.status_code == 201
    marker = made.json()
    assert api("patch", f"markers/{marker['id']}/", {"label": "laughs"}).json()["label"] == "laughs"
    labels = [one["label"] for one in api("get", "markers/").json()]
    assert labels == ["laughs", "a word"]
    assert api("delete", f"markers/{marker['id']}/").status_code == 204
    assert len(api("get", "markers/").json()) == 1


@pytest.mark.parametrize(
    "body", [{"start": -1}, {"start": 2, "end": 1}, {"start": 1, "excluded": True}, {}]
)
def test_markers_that_make_no_sense_are_refused(api, body):
    assert api("post", "markers/", body).status_code == 400


def test_excluded_spans_are_in_no_summary_and_no_export(api, video):
    api("post", "markers/", {"start": 2.0, "end": 4.0, "excluded": True})
    (track,) = tracks(api)
    assert (track["frames"], track["expressions"]["happy"]["share"]) == (10, 1)
    assert len(rows(tables.write_faces(video))) == 10
    assert len(rows(api("get", "files/pyfeat/").content.decode())) == 10
    # The chart still shows them.
    assert len(api("get", "series/").json()["series"][0]["times"]) == 20


def test_exports_have_frames_names_and_markers(api, video):
    api("patch", "tracks/1/", {"name": "Ada"})
    exported = rows(tables.write_faces(video))
    assert [row["frame"] for row in exported[:3]] == ["0", "6", "12"]
    assert {row["track_name"] for row in exported} == {"Ada"}
    marked = [row["seconds"] for row in exported if row["markers"] == "a word"]
    assert marked == ["0.6", "0.8", "1.0", "1.2", "1.4"]


def test_subtitles(api):
    text = api("get", "files/webvtt/").content.decode()
    assert text.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:02.")
    assert "Face 1: happy" in text
    assert "Face 1: sad" in text


def test_an_elan_document(api, tmp_path):
    from pympi.Elan import Eaf

    path = tmp_path / "a.eaf"
    path.write_bytes(api("get", "files/elan/").content)
    document = Eaf(str(path))
    names = sorted(document.get_tier_names())
    assert names == ["Face 1 (1)", "markers"]
    assert [one[2] for one in document.get_annotation_data_for_tier("Face 1 (1)")] == [
        "happy",
        "sad",
    ]
    assert document.get_annotation_data_for_tier("markers")[0][2] == "a word"


def test_boris_events(api):
    events = rows(api("get", "files/boris/").content.decode())
    assert [(one["Behavior"], one["Status"]) for one in events] == [
        ("happy", "START"),
        ("a word", "POINT"),
        ("happy", "STOP"),
        ("sad", "START"),
        ("sad", "STOP"),
    ]
    assert {one["FPS"] for one in events} == {"30.0"}


def test_columns_of_openface_and_pyfeat(api):
    first = rows(api("get", "files/openface/").content.decode())[1]
    assert (first["frame"], first["face_id"], first["timestamp"]) == ("7", "0", "0.2")
    assert (first["confidence"], first["success"]) == ("0.99", "1")
    assert float(first["pose_Ry"]) == pytest.approx(np.radians(10), abs=1e-3)
    second = rows(api("get", "files/pyfeat/").content.decode())[1]
    assert (second["frame"], second["FaceRectX"], second["happiness"]) == ("6", "101.0", "0.8")
    assert (second["Yaw"], second["Pitch"], second["Roll"]) == ("10.0", "-5.0", "1")


def test_track_summaries_as_a_table(api):
    (row,) = rows(api("get", "files/tracks/").content.decode())
    assert (row["track"], row["frames"], row["episodes_happy"]) == ("1", "20", "1")
    assert (row["measured_seconds"], row["blinks"], row["median_yaw"]) == ("3.8", "", "10.0")


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", "＝1+1"])
def test_names_are_no_formulas(api, name):
    api("patch", "tracks/1/", {"name": name})
    assert rows(api("get", "files/tracks/").content.decode())[0]["name"] == f"'{name}"


def test_there_are_no_other_files(api):
    assert api("get", "files/secrets/").status_code == 404


def test_a_photo_has_no_timeline(signed_in, user, astronaut):
    from tests.recognition.uploads import submit

    photo = submit(user, astronaut)
    for what in ("tracks", "series", "markers"):
        assert signed_in.get(f"/api/v1/analyses/{photo.pk}/{what}/").status_code == 404


@pytest.mark.parametrize(
    ("wanted", "status", "length", "where"),
    [
        ("", 200, 10240, None),
        ("bytes=0-99", 206, 100, "bytes 0-99/10240"),
        ("bytes=10000-", 206, 240, "bytes 10000-10239/10240"),
        ("bytes=-40", 206, 40, "bytes 10200-10239/10240"),
        ("bytes=20000-", 416, 0, "bytes */10240"),
        ("bytes=0-1,5-9", 200, 10240, None),
        ("lines=1-2", 200, 10240, None),
    ],
)
def test_players_ask_for_ranges(signed_in, video, wanted, status, length, where):
    headers = {"Range": wanted} if wanted else {}
    response = signed_in.get(f"/analyses/{video.pk}/media/", headers=headers)
    content = b"".join(response.streaming_content) if response.streaming else response.content
    assert (response.status_code, len(content)) == (status, length)
    assert response.get("Content-Range") == where
    if status < 300:
        assert (response["Accept-Ranges"], response["Content-Type"]) == ("bytes", "video/mp4")
        assert "private" in response["Cache-Control"]
    if status == 206:
        begin = int(where.split()[1].split("-")[0])
        assert content == (bytes(range(256)) * 40)[begin : begin + length]


def test_behind_nginx_the_video_is_sent_by_nginx(signed_in, video, settings):
    settings.SENDFILE = "nginx"
    response = signed_in.get(f"/analyses/{video.pk}/media/")
    assert response["X-Accel-Redirect"] == f"/private/{video.media.name}"


def test_the_page_shows_a_video(signed_in, video):
    page = signed_in.get(f"/analyses/{video.pk}/").content.decode()
    assert 'id="player"' in page
    assert Face.objects.count() == 20
