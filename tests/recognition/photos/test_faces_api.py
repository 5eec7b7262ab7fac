"""Correcting, listing and downloading faces over the API."""

import io
import zipfile
from datetime import timedelta
from urllib.parse import quote

import numpy as np
import pytest
from django.test import Client

from recognition.api import keys
from recognition.live import recordings
from recognition.models import Face
from recognition.photos import corrections
from recognition.registry import registry
from tests.recognition.drawn_photos import photo_of
from tests.recognition.live.test_recordings import tracked

pytestmark = pytest.mark.django_db

FACES = "/api/v1/faces/"


@pytest.fixture
def analysis(user):
    return photo_of(user, np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8))


@pytest.fixture
def face(analysis) -> Face:
    return analysis.faces.first()


def send(client, face: Face, body):
    return client.patch(f"{FACES}{face.pk}/", body, content_type="application/json")


def found(client, query: str) -> list[int]:
    return [one["id"] for one in client.get(f"{FACES}?{query}").json()["results"]]


@pytest.mark.parametrize("correction", ["happy", "not_a_face"])
def test_a_face_is_corrected_and_shown_so(signed_in, analysis, face, correction):
    state = send(signed_in, face, {"correction": correction}).json()

    assert (state["emotion"], state["correction"]) == ("angry", correction)
    assert state["corrected_at"]
    shown = signed_in.get(f"/api/v1/analyses/{analysis.pk}/").json()
    assert [one["correction"] for one in shown["faces"]] == [correction, None, None]
    assert shown["sequence"] == 1


def test_null_takes_a_correction_back(signed_in, face):
    send(signed_in, face, {"correction": "happy"})
    state = send(signed_in, face, {"correction": None}).json()

    assert (state["correction"], state["corrected_at"]) == (None, None)


@pytest.mark.parametrize("body", [{}, {"correction": "bored"}, {"correction": ""}, []])
def test_what_is_no_correction_is_refused(signed_in, face, body):
    response = send(signed_in, face, body)

    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert not Face.objects.filter(corrected_at__isnull=False).exists()


def test_another_person_s_face_is_not_there(face, other_user):
    client = Client()
    client.force_login(other_user)

    assert send(client, face, {"correction": "happy"}).status_code == 404
    assert Face.objects.get(pk=face.pk).correction == ""


def test_a_key_needs_the_scope_to_correct(user, face):
    reader, writer = (
        Client(headers={"authorization": f"Bearer {keys.create(user, 'key', scopes)[1]}"})
        for scopes in (["read"], ["read", "analyze"])
    )

    assert send(reader, face, {"correction": "happy"}).status_code == 403
    assert send(writer, face, {"correction": "happy"}).status_code == 200


def test_faces_by_correction(signed_in, analysis):
    first, second, third = analysis.faces.all()
    corrections.correct(first, "happy")
    corrections.correct(second, "not_a_face")

    assert found(signed_in, "correction=happy") == [first.pk]
    assert found(signed_in, "corrected=true") == [second.pk, first.pk]
    assert found(signed_in, "corrected=false") == [third.pk]


def test_faces_by_the_date_of_their_analysis(signed_in, user, analysis):
    later = photo_of(user, np.zeros((1, 48, 48), np.uint8))
    type(later).objects.filter(pk=later.pk).update(
        created_at=analysis.created_at + timedelta(days=2)
    )
    between = quote((analysis.created_at + timedelta(days=1)).isoformat())

    assert found(signed_in, f"created_after={between}") == [later.faces.get().pk]
    assert len(found(signed_in, f"created_before={between}")) == 3


def test_corrections_are_taken_away_as_a_private_zip(signed_in, face):
    assert signed_in.get(f"{FACES}corrections/").json()["code"] == "no_corrections"
    corrections.correct(face, "happy")
    response = signed_in.get(f"{FACES}corrections/")

    assert response["Content-Type"] == "application/zip"
    assert response["Cache-Control"] == "private, no-store"
    assert 'filename="corrections.zip"' in response["Content-Disposition"]
    archive = zipfile.ZipFile(io.BytesIO(response.content))
    assert archive.namelist() == [f"happy/{face.pk}.png"]


def test_another_person_s_corrections_are_not_in_the_zip(face, other_user):
    corrections.correct(face, "happy")
    client = Client()
    client.force_login(other_user)

    assert client.get(f"{FACES}corrections/").status_code == 404


def test_a_face_of_a_session_is_corrected_but_has_no_picture(signed_in, user):
    recorder = recordings.Recorder(user.pk, 0.0)
    recorder.note([tracked(1)], 0.1, (640, 480), registry.active_version().number)
    recorder.finish(1.0)
    face = Face.objects.get()

    assert send(signed_in, face, {"correction": "sad"}).json()["correction"] == "sad"
    assert signed_in.get(f"{FACES}corrections/").status_code == 404
