"""The faces of an analysis as CSV."""

import csv
import io
import re

import pytest

from recognition.engine.emotions import EMOTIONS
from recognition.history import tables
from recognition.live import recordings
from recognition.models import Analysis, Face
from recognition.photos import corrections
from recognition.photos import tasks as photo_tasks
from recognition.registry import registry
from tests.processes import ROOT
from tests.recognition.live.test_recordings import tracked
from tests.recognition.uploads import submit
from tests.recognition.videos.rows import make_video


@pytest.fixture
def analysis(user, astronaut):
    analysis = submit(user, astronaut)
    photo_tasks.analyze(str(analysis.pk))
    analysis.refresh_from_db()
    return analysis


def lines(analysis) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(tables.write_faces(analysis))))


def test_each_face_is_a_line_with_its_probabilities(analysis):
    (line,) = lines(analysis)
    face = analysis.faces.get()
    assert (line["face"], line["emotion"]) == ("1", face.emotion)
    assert [float(line[emotion]) for emotion in EMOTIONS] == pytest.approx(face.probabilities)
    assert float(line["x"]) == pytest.approx(face.x)
    assert (line["track"], line["seconds"]) == ("", "")


def test_a_correction_has_a_column(analysis):
    assert lines(analysis)[0]["correction"] == ""
    corrections.correct(analysis.faces.get(), "not_a_face")
    assert lines(analysis)[0]["correction"] == "not_a_face"


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＠SUM(A1)"]
)
def test_titles_and_tags_are_no_formulas(analysis, text):
    Analysis.objects.update(title=text, tags=[text, "b"])
    file = io.StringIO(tables.write_faces(analysis), newline="")
    (line,) = csv.DictReader(file)
    assert (line["title"], line["tags"]) == (f"'{text}", f"'{text}, b")


def test_negative_numbers_stay_numbers(analysis):
    analysis.faces.update(x=-3.5)
    assert float(lines(analysis)[0]["x"]) == -3.5


def test_the_faces_of_a_session_have_track_and_time(user):
    recorder = recordings.Recorder(user.pk, 0.0)
    recorder.note([tracked(4)], 1.5, (640, 480), registry.active_version().number)
    recorder.finish(2.0)
    (line,) = lines(recorder.analysis)
    assert (line["track"], line["seconds"]) == ("4", "1.5")


def test_the_faces_of_a_video_come_in_the_order_of_time(user):
    """Segments are read side by side, so rows are not stored in it."""
    video = make_video(user)
    last = video.faces.latest("time")
    Face.objects.filter(pk=last.pk).update(time=0.1, frame=3)
    seconds = [float(line["seconds"]) for line in lines(video)]
    assert seconds == sorted(seconds)
    assert seconds[:3] == [0.0, 0.1, 0.2]


def test_the_faces_of_each_analysis_are_counted_from_one_the_newest_analysis_first(user):
    sessions = [tracked_session(user, frames) for frames in (1, 2)]
    rows = [dict(zip(tables.COLUMNS, row, strict=True)) for row in read_all()]
    assert [(row["analysis"], row["face"]) for row in rows] == [
        (str(sessions[1].pk), 1),
        (str(sessions[1].pk), 2),
        (str(sessions[0].pk), 1),
    ]


def tracked_session(user, frames: int) -> Analysis:
    recorder = recordings.Recorder(user.pk, 0.0)
    for frame in range(frames):
        recorder.note([tracked(1)], 1.0 + frame, (640, 480), registry.active_version().number)
    recorder.finish(9.0)
    return recorder.analysis


def read_all() -> list[list]:
    return list(tables.read_rows(Face.objects.all()))


@pytest.mark.parametrize("sessions", [1, 5])
def test_however_many_analyses_there_are_one_query_reads_their_faces(
    user, sessions, django_assert_num_queries
):
    for _ in range(sessions):
        tracked_session(user, 2)
    with django_assert_num_queries(2):  # their markers are the other one
        assert len(read_all()) == 2 * sessions


def test_every_column_is_explained_in_the_order_of_the_files():
    text = (ROOT / "docs" / "reference" / "exports.md").read_text().partition("## Columns")[2]
    explained = re.findall(r"^\| (`.*?`) \|", text, re.MULTILINE)
    assert [name for cell in explained for name in re.findall(r"`(\w+)`", cell)] == tables.COLUMNS
