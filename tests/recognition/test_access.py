"""Every address as somebody else: a person meets nothing of another person."""

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from recognition import analyses, recordings, registry
from tests.recognition.test_recordings import tracked
from tests.recognition.uploads import submit


@pytest.fixture
def analysis(user, astronaut):
    analysis = submit(user, astronaut)
    analyses.run_analysis(str(analysis.pk))
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
    """Every address of the site that names one object of ours."""
    found = []
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            if "pk" in route and not route.startswith("admin/"):
                found.append(route)
        else:
            found += addresses_with_a_key(pattern.url_patterns, route)
    return found


def concrete(route: str, pk) -> str:
    for written in ("<uuid:pk>", r"(?P<pk>[^/.]+)"):
        route = route.replace(written, str(pk))
    return "/" + route.replace("^", "").replace("$", "")


ROUTES = addresses_with_a_key(get_resolver().url_patterns)


def test_the_walk_finds_the_addresses():
    assert len(ROUTES) >= 4


@pytest.mark.parametrize("route", ROUTES)
def test_the_owner_gets_in(signed_in, analysis, route):
    assert signed_in.get(concrete(route, analysis.pk)).status_code == 200


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
@pytest.mark.parametrize("route", ROUTES)
def test_another_person_finds_nothing(analysis, other_user, route, method):
    client = Client()
    client.force_login(other_user)
    response = getattr(client, method)(concrete(route, analysis.pk))

    assert response.status_code in {404, 405}
    analysis.refresh_from_db()


@pytest.mark.parametrize("route", ROUTES)
def test_another_person_finds_nothing_of_a_webcam_session(session, other_user, route):
    client = Client()
    client.force_login(other_user)

    assert client.get(concrete(route, session.pk)).status_code == 404


def test_the_owner_reads_a_webcam_session(signed_in, session):
    assert signed_in.get(f"/analyses/{session.pk}/").status_code == 200
    state = signed_in.get(f"/api/v1/analyses/{session.pk}/").json()
    assert state["kind"] == "webcam"
    assert [track["emotion"] for track in state["tracks"]] == ["happy"]
    assert signed_in.get(f"/analyses/{session.pk}/photo/").status_code == 404


@pytest.mark.parametrize("route", ROUTES)
def test_a_stranger_has_to_sign_in(analysis, route):
    response = Client().get(concrete(route, analysis.pk))

    assert response.status_code in {302, 403}
    if response.status_code == 302:
        assert response.url.startswith("/accounts/login/")


def test_lists_show_only_what_is_one_s_own(analysis, other_user):
    client = Client()
    client.force_login(other_user)

    assert client.get("/api/v1/analyses/").json()["results"] == []
    for page in ("/", "/analyses/"):
        assert str(analysis.pk) not in client.get(page).content.decode()


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


def test_behind_nginx_the_picture_is_sent_by_nginx(signed_in, analysis, settings):
    settings.SENDFILE = "nginx"
    response = signed_in.get(f"/analyses/{analysis.pk}/photo/")

    assert response["X-Accel-Redirect"] == f"/private/{analysis.photo.name}"
    assert response.content == b""
