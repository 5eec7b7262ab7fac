"""Keys, scopes, limits and errors of the API."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from recognition.api import access, keys
from recognition.models import Allowance, ApiKey
from tests.conftest import confirm
from tests.recognition.uploads import submit

ANALYSES = "/api/v1/analyses/"
KEYS = "/api/v1/keys/"


def with_key(text: str) -> Client:
    return Client(headers={"authorization": f"Bearer {text}"}, enforce_csrf_checks=True)


@pytest.fixture
def reader(user) -> Client:
    """A program with a key that may read."""
    return with_key(keys.create(user, "reader", ["read"])[1])


def make_key(client, **values):
    wanted = {"name": "notebook", "scopes": ["read"], **values}
    return client.post(KEYS, wanted, content_type="application/json")


def test_a_key_is_shown_once_and_stored_as_a_hash(signed_in):
    confirm(signed_in)
    made = make_key(signed_in)
    assert made.status_code == 201
    text = made.json()["key"]
    assert text.startswith("mien_")

    (listed,) = signed_in.get(KEYS).json()
    assert "key" not in listed
    stored = ApiKey.objects.values().get()
    assert text not in map(str, stored.values())
    assert with_key(text).get(ANALYSES).status_code == 200


def test_a_key_reads_what_its_owner_has_and_nothing_else(reader, user, other_user, astronaut):
    own, other = submit(user, astronaut), submit(other_user, astronaut)
    assert [one["id"] for one in reader.get(ANALYSES).json()["results"]] == [str(own.pk)]
    assert reader.get(f"{ANALYSES}{other.pk}/").status_code == 404


def test_a_key_without_the_scope_is_refused(reader, user, astronaut):
    response = reader.post(ANALYSES, astronaut, content_type="image/jpeg")
    assert (response.status_code, response.json()["code"]) == (403, "not_allowed")


def test_a_key_with_the_scope_analyzes_without_a_csrf_token(user, astronaut):
    client = with_key(keys.create(user, "camera", ["analyze", "read"])[1])
    assert client.post(ANALYSES, astronaut, content_type="image/jpeg").status_code == 202


def test_a_key_that_may_only_analyze_reads_nothing(user):
    client = with_key(keys.create(user, "camera", ["analyze"])[1])
    assert client.get(ANALYSES).status_code == 403


def test_no_key_makes_keys(user):
    client = with_key(keys.create(user, "all", ["read", "analyze", "train"])[1])
    assert make_key(client).json()["code"] == "not_allowed"
    assert client.get(KEYS).json()["code"] == "sign_in_needed"


@pytest.mark.parametrize("end", ["revoke", "expire", "deactivate"])
def test_a_key_that_has_ended_opens_nothing(signed_in, user, end):
    key, text = keys.create(user, "old", ["read"])
    if end == "revoke":
        assert signed_in.delete(f"{KEYS}{key.pk}/").status_code == 204
    elif end == "expire":
        ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        user.is_active = False
        user.save()
    response = with_key(text).get(ANALYSES)
    assert (response.status_code, response.json()["code"]) == (401, "not_signed_in")
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("text", ["", "nonsense", "mien_00000000_x", "mien_ü"])
def test_a_key_that_does_not_exist_is_401(user, text):
    assert with_key(text).get(ANALYSES).status_code == 401


def test_a_revoked_key_stays_listed(signed_in, user):
    key, _ = keys.create(user, "old", ["read"])
    signed_in.delete(f"{KEYS}{key.pk}/")
    assert signed_in.get(KEYS).json()[0]["revoked_at"]


def test_the_last_use_is_noted(user):
    key, text = keys.create(user, "used", ["read"])
    with_key(text).get(ANALYSES)
    key.refresh_from_db()
    assert timezone.now() - key.last_used_at < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["fly"]}, "scopes.0"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
    ],
)
def test_a_bad_key_names_the_field(signed_in, values, field):
    response = make_key(signed_in, **values)
    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert response.json()["errors"][0]["field"] == field
    assert response.json()["errors"][0]["code"]


def test_another_persons_key_cannot_be_revoked(signed_in, other_user):
    key, text = keys.create(other_user, "hers", ["read"])
    assert signed_in.delete(f"{KEYS}{key.pk}/").status_code == 404
    assert with_key(text).get(ANALYSES).status_code == 200


def test_too_many_requests_are_429_and_say_when_to_come_back(reader, settings):
    settings.API_REQUESTS_PER_MINUTE = 3
    responses = [reader.get(ANALYSES) for _ in range(4)]
    if responses[3].status_code == 200:  # a new minute began in between
        responses = [reader.get(ANALYSES) for _ in range(4)]
    assert [response.status_code for response in responses] == [200, 200, 200, 429]
    last = responses[3]
    assert last.json()["code"] == "too_many_requests"
    assert 1 <= int(last["Retry-After"]) <= 60
    assert last["RateLimit-Policy"] == '"requests";q=3;w=60'
    assert last["RateLimit"].startswith('"requests";r=0;t=')
    assert responses[0]["RateLimit"].startswith('"requests";r=2;t=')


def test_the_first_requests_of_a_process_may_come_at_once():
    def count_first(start: threading.Barrier) -> int:
        start.wait()
        return access.count("first")

    with ThreadPoolExecutor(6) as threads:
        for _ in range(100):
            access.counters.cache_clear()
            together = [threading.Barrier(6)] * 6
            assert len(set(threads.map(count_first, together))) == 6


def test_a_person_and_her_key_are_counted_apart(reader, signed_in, settings):
    settings.API_REQUESTS_PER_MINUTE = 1
    reader.get(ANALYSES)
    assert signed_in.get(ANALYSES).status_code == 200


def test_an_administrator_may_allow_more_or_less(reader, user):
    Allowance.objects.create(user=user, requests_per_minute=7)
    assert reader.get(ANALYSES)["RateLimit-Policy"] == '"requests";q=7;w=60'
    ApiKey.objects.update(requests_per_minute=5)
    assert reader.get(ANALYSES)["RateLimit-Policy"] == '"requests";q=5;w=60'


def test_an_administrator_may_allow_smaller_files_only(signed_in, user, astronaut, settings):
    Allowance.objects.create(user=user, upload_mb=1)
    photo = astronaut + bytes(1024**2)
    response = signed_in.post(ANALYSES, photo, content_type="image/jpeg")
    assert (response.status_code, response.json()["code"]) == (413, "file_too_large")
    assert "up to 1 MB" in response.json()["detail"]
    assert signed_in.get("/api/v1/me/").json()["limits"]["upload_bytes"] == 1024**2

    Allowance.objects.update(upload_mb=10_000)  # more than the site receives
    limits = signed_in.get("/api/v1/me/").json()["limits"]
    assert limits["upload_bytes"] == settings.MAX_UPLOAD_BYTES


def test_a_key_may_be_allowed_smaller_files_than_its_owner(signed_in, user, astronaut):
    _key, text = keys.create(user, "camera", ["analyze", "read"])
    ApiKey.objects.update(upload_mb=1)
    camera, photo = with_key(text), astronaut + bytes(1024**2)
    refused = camera.post(ANALYSES, photo, content_type="image/jpeg")
    assert (refused.status_code, refused.json()["code"]) == (413, "file_too_large")
    assert camera.get("/api/v1/me/").json()["limits"]["upload_bytes"] == 1024**2
    assert signed_in.post(ANALYSES, photo, content_type="image/jpeg").status_code == 202


@pytest.mark.parametrize("limited", ["person", "key"])
def test_a_limit_of_zero_allows_nothing(user, astronaut, limited):
    _key, text = keys.create(user, "camera", ["analyze", "read"])
    Allowance.objects.create(user=user, upload_mb=0 if limited == "person" else 5)
    ApiKey.objects.update(upload_mb=0 if limited == "key" else None)
    photo = with_key(text).post(ANALYSES, astronaut, content_type="image/jpeg")
    assert (photo.status_code, photo.json()["code"]) == (413, "file_too_large")

    Allowance.objects.update(requests_per_minute=0 if limited == "person" else 5)
    ApiKey.objects.update(requests_per_minute=0 if limited == "key" else None)
    assert with_key(text).get(ANALYSES).status_code == 429


@pytest.mark.parametrize(
    ("method", "address", "status", "code"),
    [
        ("get", "/api/v1/nothing/", 404, "not_found"),
        ("get", f"{ANALYSES}00000000-0000-0000-0000-000000000000/", 404, "not_found"),
        ("get", f"{ANALYSES}x/", 404, "not_found"),
        ("put", ANALYSES, 405, "method_not_allowed"),
        ("get", "/api/v1/stats/?days=0", 400, "invalid"),
    ],
)
def test_errors_are_problem_documents(signed_in, method, address, status, code):
    response = getattr(signed_in, method)(address)
    body = response.json()
    assert response.status_code == body["status"] == status
    assert response["Content-Type"] == "application/problem+json"
    assert body["code"] == code
    assert set(body) >= {"type", "title", "detail"}


def test_json_that_is_none_is_a_malformed_request(signed_in):
    response = signed_in.post(KEYS, "{", content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (400, "malformed_request")


def test_a_session_needs_the_csrf_token(user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    response = make_key(client)
    assert (response.status_code, response.json()["code"]) == (403, "not_allowed")
