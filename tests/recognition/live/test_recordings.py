"""Kept webcam sessions: only numbers, stored continuously, and kept after a crash."""

from datetime import timedelta

import pytest
from django.utils import timezone

from recognition import describe
from recognition.engine.emotions import EMOTIONS
from recognition.engine.types import (
    BoundingBox,
    Detection,
    Face,
    Landmarks,
    Prediction,
    TrackedFace,
)
from recognition.live import recordings
from recognition.models import Analysis
from recognition.photos import analyses
from recognition.registry import registry
from tests.recognition.jobs.sweeping import sweep

pytestmark = pytest.mark.django_db


def tracked(track: int, emotion: str = "happy") -> TrackedFace:
    marks = Landmarks((1, 1), (2, 1), (1.5, 2), (1, 3), (2, 3))
    probabilities = tuple(0.7 if name == emotion else 0.05 for name in EMOTIONS)
    face = Face(Detection(BoundingBox(10, 20, 30, 40), 0.9, marks), Prediction(probabilities))
    return TrackedFace(track, face, probabilities)


@pytest.fixture
def recorder(user):
    registry.register_shipped_model()
    return recordings.Recorder(user.pk, 0.0)


def note(recorder, time: float, *faces: TrackedFace) -> None:
    recorder.note(faces, time, (640, 480), registry.active_version().number)


def test_each_face_of_each_frame_is_a_row(recorder):
    note(recorder, 0.1, tracked(1), tracked(2))
    note(recorder, 0.2, tracked(1))
    recorder.store(0.3)

    rows = recorder.analysis.faces.values_list("track__number", "time", "x", "emotion")
    assert list(rows) == [(1, 0.1, 10, "happy"), (2, 0.1, 10, "happy"), (1, 0.2, 10, "happy")]


def test_a_session_is_running_until_it_ends(recorder):
    assert recorder.analysis.status == "running"
    note(recorder, 0.1, tracked(1, "sad"))
    recorder.finish(3.0)

    analysis = Analysis.objects.get()
    assert (analysis.kind, analysis.status) == ("webcam", "succeeded")
    assert (analysis.frame_count, analysis.face_count, analysis.seconds) == (1, 1, 3.0)
    assert analysis.emotion == "sad"
    assert (analysis.width, analysis.height) == (640, 480)
    assert analysis.model_version == registry.active_version()
    assert not analysis.photo
    assert not analysis.source


def test_rows_are_stored_once(recorder):
    note(recorder, 0.1, tracked(1))
    recorder.store(1.0)
    note(recorder, 1.1, tracked(1))
    recorder.store(2.0)
    recorder.finish(3.0)
    assert recorder.analysis.faces.count() == 2


def test_storing_renews_the_lease(recorder):
    Analysis.objects.update(lease_expires_at=timezone.now())
    recorder.store(1.0)
    assert Analysis.objects.get().lease_expires_at > timezone.now()


def test_a_session_that_broke_off_keeps_what_it_had(recorder):
    note(recorder, 0.5, tracked(1))
    recorder.store(1.0)
    Analysis.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    recordings.finish_interrupted()

    analysis = Analysis.objects.get()
    assert analysis.status == "succeeded"
    assert analysis.notices[0]["code"] == "interrupted"
    assert (analysis.faces.count(), analysis.seconds) == (1, 1.0)
    assert not recorder.store(2.0)  # the returning socket finds the session ended


def test_a_session_that_goes_on_is_left_alone(recorder):
    recordings.finish_interrupted()
    assert Analysis.objects.get().status == "running"


def test_the_photo_sweeper_leaves_sessions_alone(recorder):
    Analysis.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    sent = sweep("analysis", waiting=0)
    assert sent == []
    assert Analysis.objects.get().status == "running"


def test_a_deleted_session_is_noticed(recorder):
    analyses.delete_analysis(Analysis.objects.get())
    note(recorder, 0.1, tracked(1))
    assert not recorder.store(1.0)


def test_tracks_have_means_and_series(recorder):
    for step in range(1500):
        note(recorder, step / 10, tracked(1, "happy" if step < 1000 else "sad"))
    note(recorder, 151, tracked(2, "fear"))
    recorder.finish(152.0)

    first, second = describe.describe_tracks(Analysis.objects.get())
    assert (first["frames"], first["first"], first["last"]) == (1500, 0.0, 149.9)
    assert first["emotion"] == "happy"
    assert first["probabilities"]["sad"] == pytest.approx(
        (1000 * 0.05 + 500 * 0.7) / 1500, abs=1e-3
    )
    series = first["series"]
    assert len(series["times"]) == len(series["probabilities"]["sad"]) == 600
    assert series["times"] == sorted(series["times"])
    assert (series["probabilities"]["sad"][0], series["probabilities"]["sad"][-1]) == (0.05, 0.7)
    assert (second["number"], second["emotion"]) == (2, "fear")


def test_a_session_without_faces_has_no_tracks(recorder):
    note(recorder, 0.1)
    recorder.finish(1.0)
    assert describe.describe_tracks(Analysis.objects.get()) == []
    assert Analysis.objects.get().emotion == ""
