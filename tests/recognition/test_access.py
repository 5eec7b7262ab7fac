"""Every URL requested as another user: nobody sees other people's data."""

import re

import pytest
from allauth.mfa.models import Authenticator
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import URLPattern, get_resolver

from recognition.api import keys
from recognition.history import tasks as export_tasks
from recognition.live import recordings
from recognition.models import ApiKey, Delivery, Export, Webhook
from recognition.photos import tasks as photo_tasks
from recognition.registry import registry
from tests.conftest import confirm
from tests.recognition.live.test_recordings import tracked
from tests.recognition.uploads import submit
from tests.recognition.videos.rows import make_upload, make_video


@pytest.fixture
def analysis(user, astronaut):
    analysis = submit(user, astronaut)
    photo_tasks.analyze(str(analysis.pk))
    analysis.refresh_from_db()
    return analysis


@pytest.fixture
def session(user):
    """A kept webcam session with one face in one frame."""
    version = registry.active_version().number
    recorder = recordings.Recorder(user.pk, 0.0)
    recorder.note([tracked(1)], 0.1, (640, 480), version)
    recorder.finish(1.0)
    return recorder.analysis


def addresses_with_a_key(patterns, prefix="") -> list[str]:
    """Every URL of the site for one of the owner's objects."""
    found = []
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            if "pk" in route:
                found.append(route)
        else:
            found += addresses_with_a_key(pattern.url_patterns, route)
    return found


def concrete(route: str, keys: dict[str, object]) -> str:
    """The address of a route for one object: each key is that of the word before it."""
    if route.endswith("/media/") or "<uuid:analysis>" in route:
        keys = {**keys, "analyses": keys["videos"]}
    if "/webauthn/" in route:
        keys = {**keys, "keys": keys["passkeys"]}
    return "/" + re.sub(r"([\w-]+)/<[^>]*>", lambda word: f"{word[1]}/{keys[word[1]]}", route)


@pytest.fixture
def own(analysis):
    """The keys of the owner's objects, by the word that addresses name them with."""
    key, _text = keys.create(analysis.owner, "key", ["read"])
    webhook = Webhook.objects.create(owner=analysis.owner, url="https://example.org/")
    export = Export.objects.create(owner=analysis.owner, format="csv")
    export_tasks.export(str(export.pk))
    video = make_video(analysis.owner)
    delivery = Delivery.objects.create(webhook=webhook, event="analysis.succeeded", body={})
    passkey = Authenticator.objects.create(
        user=analysis.owner, type="webauthn", data={"name": "blue"}
    )
    return {
        "passkeys": passkey.pk,
        "analyses": analysis.pk,
        "exports": export.pk,
        "faces": analysis.faces.get().pk,
        "keys": key.pk,
        "webhooks": webhook.pk,
        "deliveries": delivery.pk,
        "videos": video.pk,
        "tracks": 1,
        "files": "webvtt",
        "markers": video.markers.get().pk,
        "uploads": make_upload(analysis.owner).pk,
    }


# See tests.training.test_access.
STAFF_API = ("datasets", "evaluations", "jobs", "media-imports", "model-imports", "training-runs")
ADMINISTRATION = ("admin/", "training/", *(f"api/v1/{kind}/" for kind in STAFF_API))
ROUTES = [
    route
    for route in addresses_with_a_key(get_resolver().url_patterns)
    if not route.startswith(ADMINISTRATION)
]


def test_the_walk_finds_the_addresses():
    assert len(ROUTES) >= 12


@pytest.mark.parametrize("route", ROUTES)
def test_the_owner_gets_in(signed_in, own, route):
    confirm(signed_in)
    assert signed_in.get(concrete(route, own)).status_code in {200, 405}


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
@pytest.mark.parametrize("route", ROUTES)
def test_another_person_finds_nothing(analysis, own, other_user, route, method):
    client = Client()
    client.force_login(other_user)
    confirm(client)
    response = getattr(client, method)(concrete(route, own))

    assert response.status_code in {404, 405}
    analysis.refresh_from_db()
    assert ApiKey.objects.get().revoked_at is None
    assert Authenticator.objects.get().wrap().name == "blue"
    assert default_storage.exists(Export.objects.get().file.name)


@pytest.mark.parametrize("route", ROUTES)
def test_a_key_of_another_person_finds_nothing(own, other_user, route):
    _key, text = keys.create(other_user, "key", ["read", "analyze", "train"])
    client = Client(headers={"authorization": f"Bearer {text}"})

    # Pages don't accept keys, so programs are strangers there.
    assert client.get(concrete(route, own)).status_code in {302, 403, 404, 405}


def test_a_webcam_session_is_its_owners(client, signed_in, session, other_user):
    client = Client()
    client.force_login(other_user)
    for address in (f"/analyses/{session.pk}/", f"/api/v1/analyses/{session.pk}/"):
        assert signed_in.get(address).status_code == 200
        assert client.get(address).status_code == 404

    state = signed_in.get(f"/api/v1/analyses/{session.pk}/").json()
    assert [track["emotion"] for track in state["tracks"]] == ["happy"]
    assert signed_in.get(f"/analyses/{session.pk}/photo/").status_code == 404


@pytest.mark.parametrize("route", ROUTES)
def test_a_stranger_has_to_sign_in(own, route):
    response = Client().get(concrete(route, own))

    assert response.status_code in {302, 401, 403}
    if response.status_code == 302:
        assert response.url.startswith("/accounts/login/")


def test_lists_show_only_what_is_one_s_own(analysis, own, other_user):
    client = Client()
    client.force_login(other_user)

    for address in ("/api/v1/analyses/", "/api/v1/exports/"):
        assert client.get(address).json()["results"] == []
    for page in ("/", "/analyses/", "/exports/"):
        text = client.get(page).content.decode()
        assert not any(str(own[name]) in text for name in ("analyses", "exports"))


def test_even_an_administrator_does_not_see_the_photo(analysis, django_user_model):
    client = Client()
    client.force_login(django_user_model.objects.get(username="admin"))

    assert client.get(f"/analyses/{analysis.pk}/photo/").status_code == 404


def test_stored_files_have_no_address_of_their_own(signed_in, analysis):
    for address in (f"/media/{analysis.photo.name}", f"/static/{analysis.photo.name}"):
        assert signed_in.get(address).status_code == 404


def test_a_private_picture_is_not_kept_by_shared_caches(signed_in, analysis):
    response = signed_in.get(f"/analyses/{analysis.pk}/photo/")

    assert response["Cache-Control"] == "private, no-cache"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'self'" in response["Content-Security-Policy"]
    unchanged = signed_in.get(
        f"/analyses/{analysis.pk}/photo/", headers={"if-none-match": response["ETag"]}
    )
    assert unchanged.status_code == 304


def test_an_export_is_kept_by_nobody_and_saved_not_shown(signed_in, own):
    response = signed_in.get(f"/api/v1/exports/{own['exports']}/file/")

    assert response["Cache-Control"] == "private, no-store"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"].startswith("attachment; filename=")
    assert response.getvalue().startswith(b"analysis,")


def test_behind_nginx_the_export_is_sent_by_nginx(signed_in, own, settings):
    settings.SENDFILE = "nginx"
    response = signed_in.get(f"/api/v1/exports/{own['exports']}/file/")

    assert response["X-Accel-Redirect"] == f"/private/{Export.objects.get().file.name}"
    assert response["Content-Disposition"].startswith("attachment; filename=")
    assert response["Cache-Control"] == "private, no-store"
    assert response.content == b""


def test_behind_nginx_the_picture_is_sent_by_nginx(signed_in, analysis, settings):
    settings.SENDFILE = "nginx"
    response = signed_in.get(f"/analyses/{analysis.pk}/photo/")

    assert response["X-Accel-Redirect"] == f"/private/{analysis.photo.name}"
    assert response.content == b""
