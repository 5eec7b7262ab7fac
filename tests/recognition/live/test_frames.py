"""The worker's side of frames, with a real Redis."""

import json
import time

import pytest

from recognition.live import frames
from tests.recognition.live.live_client import picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(redis_server) -> frames.Job:
    redis_server.client.flushdb()
    return {
        "key": "mien:frame:s:1",
        "mailbox": "mien:answers:test",
        "session": "s",
        "sequence": 1,
        "min_face": 60,
        "hints": [],
        "sent_at": time.time(),
    }


def answer_to(redis_server, job: frames.Job, content: bytes) -> dict:
    redis_server.client.set(job["key"], content)
    frames.answer_frame(job)
    return json.loads(redis_server.client.lpop(job["mailbox"]))


def test_a_frame_is_answered_with_its_faces(redis_server, job, astronaut):
    answer = answer_to(redis_server, job, picture(astronaut))
    assert (answer["session"], answer["sequence"]) == ("s", 1)
    assert (answer["width"], answer["height"]) == (640, 480)
    (face,) = answer["faces"]
    assert len(face["measures"]) == 10
    assert face["covered"] < 0.5
    assert face["mesh"] is None
    assert len(face["probabilities"]) == 7
    assert set(answer["milliseconds"]) == {"queue", "decode", "detect", "classify", "measure"}


def test_the_mesh_comes_if_it_is_asked_for(redis_server, job, astronaut):
    (face,) = answer_to(redis_server, {**job, "mesh": True}, picture(astronaut))["faces"]

    x, y = face["mesh"][4]  # the tip of the nose
    assert (x, y) == pytest.approx(face["landmarks"]["nose"], abs=10)
    assert len(face["mesh"]) == 468


def test_hints_find_the_same_face(redis_server, job, astronaut):
    content = picture(astronaut)
    (first,) = answer_to(redis_server, job, content)["faces"]
    job["hints"] = [list(first["box"].values())]
    (second,) = answer_to(redis_server, job, content)["faces"]
    assert second["box"]["x"] == pytest.approx(first["box"]["x"], abs=5)


def test_smaller_faces_than_asked_for_are_not_reported(redis_server, job, astronaut):
    job["min_face"] = 400
    assert answer_to(redis_server, job, picture(astronaut))["faces"] == []


def test_a_frame_that_is_gone_is_dropped(redis_server, job):
    frames.answer_frame(job)
    assert redis_server.client.llen(job["mailbox"]) == 0


def test_a_frame_is_taken_once_and_its_picture_does_not_stay(redis_server, job, astronaut):
    answer_to(redis_server, job, picture(astronaut))
    assert not redis_server.client.exists(job["key"])
    frames.answer_frame(job)
    assert redis_server.client.llen(job["mailbox"]) == 0


def test_a_bad_picture_is_the_clients_fault(redis_server, job):
    error = answer_to(redis_server, job, b"no picture")["error"]
    assert (error["code"], error["bad"]) == ("not_an_image", True)


def test_trouble_of_the_worker_is_not(redis_server, job, astronaut, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("out of luck")

    monkeypatch.setattr(frames.registry, "recent_classifier", fail)
    error = answer_to(redis_server, job, picture(astronaut))["error"]
    assert (error["code"], error["bad"]) == ("analysis_failed", False)
    assert "luck" not in error["message"]


def test_answers_that_nobody_collects_are_forgotten(redis_server, job, astronaut):
    redis_server.client.set(job["key"], picture(astronaut))
    frames.answer_frame(job)
    assert 0 < redis_server.client.ttl(job["mailbox"]) <= frames.FORGOTTEN_AFTER
