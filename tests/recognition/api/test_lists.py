"""Faces, models, statistics, the current user, and the API's description."""

from base64 import b64encode
from urllib.parse import urlencode

import pytest

from recognition.api import keys
from recognition.engine.emotions import EMOTIONS
from recognition.live import recordings
from recognition.models import Webhook
from recognition.photos import tasks as photo_tasks
from recognition.registry import registry
from tests.conftest import confirm
from tests.recognition.live.test_recordings import tracked
from tests.recognition.uploads import submit

FACES = "/api/v1/faces/"


@pytest.fixture
def analysis(user, astronaut):
    analysis = submit(user, astronaut)
    photo_tasks.analyze(str(analysis.pk))
    analysis.refresh_from_db()
    return analysis


def test_faces_come_with_their_analysis(signed_in, analysis):
    (face,) = signed_in.get(FACES).json()["results"]
    assert face["analysis"] == str(analysis.pk)
    assert (face["track"], face["time"]) == (None, None)
    assert signed_in.get(f"{FACES}{face['id']}/").json() == face


def test_faces_by_emotion_and_probability(signed_in, analysis):
    face = analysis.faces.get()
    top = max(face.probabilities)
    assert face.probability == pytest.approx(top)

    def found(query: str) -> int:
        return len(signed_in.get(f"{FACES}?{query}").json()["results"])

    other = next(emotion for emotion in EMOTIONS if emotion != face.emotion)
    assert found(f"emotion={face.emotion}") == 1
    assert found(f"emotion={other}") == 0
    assert found(f"min_probability={top - 0.01}") == 1
    assert found(f"min_probability={top + 0.01}") == 0
    assert found(f"max_probability={top - 0.01}") == 0
    assert found(f"analysis={analysis.pk}") == 1


def test_the_faces_of_a_session_have_track_and_time(signed_in, user):
    version = registry.active_version().number
    recorder = recordings.Recorder(user.pk, 0.0)
    recorder.note([tracked(4)], 1.5, (640, 480), version)
    recorder.finish(2.0)
    (face,) = signed_in.get(FACES).json()["results"]
    assert (face["track"], face["time"]) == (4, 1.5)


def test_another_persons_faces_are_not_there(client, analysis, other_user):
    client.force_login(other_user)
    assert client.get(FACES).json()["results"] == []
    assert client.get(f"{FACES}{analysis.faces.get().pk}/").status_code == 404


def at(position: str) -> dict[str, str]:
    """The cursor parameter of a list that starts after this value."""
    return {"cursor": b64encode(urlencode({"p": position}).encode()).decode()}


@pytest.mark.parametrize("position", ["nonsense", "a\0"])
@pytest.mark.parametrize(
    "path", ["analyses/", "exports/", "faces/", "models/", "webhooks/{webhook}/deliveries/"]
)
def test_a_cursor_that_names_no_place_is_not_found(signed_in, user, path, position):
    webhook = Webhook.objects.create(owner=user, url="https://8.8.8.8/")
    response = signed_in.get(f"/api/v1/{path.format(webhook=webhook.pk)}", at(position))
    assert (response.status_code, response.json()["detail"]) == (404, "Invalid cursor")


def test_a_cursor_before_the_first_moment_of_the_calendar_is_no_trouble(signed_in):
    response = signed_in.get("/api/v1/analyses/", at("0001-01-01T00:00:00+14:00"))
    assert response.status_code in {200, 404}  # PostgreSQL accepts that time, SQLite doesn't


def test_everybody_may_read_the_models(signed_in):
    version = registry.register_shipped_model()
    (listed,) = signed_in.get("/api/v1/models/").json()["results"]
    assert (listed["number"], listed["active"]) == (version.number, True)
    assert listed["card"]["figures"]
    assert signed_in.get(f"/api/v1/models/{version.number}/").json() == listed


def test_only_administrators_promote(signed_in, user, astronaut):
    version = registry.register_shipped_model()
    address = f"/api/v1/models/{version.number}/promote/"
    assert signed_in.post(address).status_code == 404
    type(user).objects.filter(pk=user.pk).update(is_staff=True)
    confirm(signed_in)
    response = signed_in.post(address, {}, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (409, "already_active")


def test_statistics_by_day_and_emotion(signed_in, analysis):
    days = signed_in.get("/api/v1/stats/?days=7").json()["days"]
    assert len(days) == 7
    assert [day["date"] for day in days] == sorted(day["date"] for day in days)
    assert days[-1]["analyses"] == 1
    assert days[-1]["emotions"] == {
        emotion: int(emotion == analysis.emotion) for emotion in EMOTIONS
    }
    assert days[0]["analyses"] == 0


def test_me_says_who_asks_what_is_stored_and_what_is_allowed(client, user, analysis):
    key, text = keys.create(user, "k", ["read"])
    me = client.get("/api/v1/me/", headers={"authorization": f"Bearer {text}"}).json()
    assert (me["email"], me["key"]) == (user.email, key.prefix)
    assert me["usage"]["analyses"] == me["usage"]["faces"] == 1
    assert me["usage"]["stored_bytes"] == analysis.photo.size + analysis.thumbnail.size
    assert me["limits"]["requests_per_minute"] > 0


def test_the_description_names_every_address(signed_in):
    schema = signed_in.get("/api/v1/schema/").json()
    assert schema["openapi"].startswith("3.1")
    paths = set(schema["paths"])
    for name in ("analyses/", "faces/", "models/", "keys/", "me/", "stats/"):
        assert f"/api/v1/{name}" in paths
    assert "/api/v1/analyses/{id}/rerun/" in paths
    assert {"/api/v1/training-runs/", "/api/v1/datasets/"} <= paths


def test_the_docs_page_loads_nothing_from_elsewhere(signed_in):
    page = signed_in.get("/api/v1/docs/").content.decode()
    assert "swagger-ui" in page
    assert "http://" not in page.replace("http://testserver", "")
    assert "https://" not in page
