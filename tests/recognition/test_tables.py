"""The faces of an analysis as CSV."""

import csv
import io

import pytest

from recognition import analyses, corrections, recordings, registry, tables
from recognition.engine.emotions import EMOTIONS
from tests.recognition.test_recordings import tracked
from tests.recognition.uploads import submit


@pytest.fixture
def analysis(user, astronaut):
    analysis = submit(user, astronaut)
    analyses.run_analysis(str(analysis.pk))
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


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_title_is_no_formula(analysis, title):
    analysis.title = title
    assert lines(analysis)[0]["title"] == f"'{title}"


def test_negative_numbers_stay_numbers(analysis):
    analysis.faces.update(x=-3.5)
    assert float(lines(analysis)[0]["x"]) == -3.5


def test_the_faces_of_a_session_have_track_and_time(user):
    recorder = recordings.Recorder(user.pk, 0.0)
    recorder.note([tracked(4)], 1.5, (640, 480), registry.active_version().number)
    recorder.finish(2.0)
    (line,) = lines(recorder.analysis)
    assert (line["track"], line["seconds"]) == ("4", "1.5")
