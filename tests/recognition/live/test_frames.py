"""The worker's side of frames, with a real Redis."""

import io
import json
import sys
import threading
import time

import pytest
from PIL import Image

from recognition import decoding
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


def saved(content: bytes, format: str, **options) -> bytes:
    file = io.BytesIO()
    Image.open(io.BytesIO(content)).save(file, format, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("format", "options"), [("JPEG", {}), ("JPEG", {"progressive": True}), ("WEBP", {})]
)
def test_only_plain_jpegs_are_decoded_by_the_worker(
    redis_server, job, astronaut, monkeypatch, format, options
):
    asked = []
    ask = decoding._ask
    monkeypatch.setattr(decoding, "_ask", lambda *what: asked.append(what[0]) or ask(*what))
    answer = answer_to(redis_server, job, saved(picture(astronaut), format, **options))

    assert len(answer["faces"]) == 1
    assert asked == ([] if (format, options) == ("JPEG", {}) else ["s"])


def test_a_frame_that_ends_its_decoder_is_a_damaged_one(redis_server, job, monkeypatch):
    monkeypatch.setattr(decoding, "_own", threading.local())
    code = "import os, sys; from recognition.engine import decoder, media\n"
    code += "media.decode_frame = lambda *_: os.abort()\nsys.exit(decoder.main())"
    monkeypatch.setattr(decoding, "COMMAND", [sys.executable, "-c", code])
    answer = answer_to(redis_server, job, b"RIFF\0\0\0\0WEBP")

    assert answer["error"]["code"] == "truncated_image"
    assert answer["error"]["bad"]
    decoding._own.helper.close()
