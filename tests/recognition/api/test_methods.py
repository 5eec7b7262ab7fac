"""Every method at every address of the API, with and without a body: never a 5xx."""

import base64
import re
import socket
import uuid

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from recognition.api import keys
from recognition.jobs import workers
from tests.recognition.api.rows import existing, rows_of, rows_of_training

METHODS = ("OPTIONS", "HEAD", "GET", "TRACE", "POST", "PUT", "PATCH", "DELETE")
FORM = (
    b'--x\r\nContent-Disposition: form-data; name="photos"; filename="a.jpg"\r\n\r\nno picture\r\n'
    b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nA form\r\n--x--\r\n'
)
BODIES = [
    ("application/json", b""),
    ("application/json", b'{"name": "one", "title": "one", "images": ["AAAA"]}'),
    ("application/json", b"[1]"),
    ("application/json", b"{"),
    ("multipart/form-data; boundary=x", FORM),
    ("multipart/form-data", FORM),
    ("application/x-www-form-urlencoded", b"name=one&number=2"),
    ("image/jpeg", b"no picture"),
    ("text/plain", b"\xff"),
]
SAFE = METHODS[:4]  # nothing parses their bodies
SLOW = {"/api/v1/schema/", "/api/v1/docs/"}  # the same for every body


@pytest.fixture(autouse=True)
def outside(settings, tmp_path, monkeypatch):
    """Files in a folder of this test, and a network that resolves names."""
    for name in ("MEDIA_ROOT", "DATASETS_DIR", "TRAINING_DIR", "DATASET_CACHE", "UPLOADS_DIR"):
        setattr(settings, name, tmp_path / name)
    settings.DATASETS_DIR.mkdir()
    settings.UPLOADS_DIR.mkdir()
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *about, **more: [public])
    monkeypatch.setattr(workers, "ANSWER_SECONDS", 0.01)


@pytest.fixture
def administrator(user, django_user_model):
    return django_user_model.objects.get(username="admin")


def paths() -> list[str]:
    return [*SchemaGenerator().get_schema(request=None, public=True)["paths"], *SLOW]


def unknown(path: str) -> str:
    """The path with parameters of objects that don't exist, numbers beyond those of a database."""
    path = re.sub(r"\{(pk|id)\}", str(uuid.uuid4()) if "faces" not in path else f"{10**20}", path)
    return path.format(
        number=10**20, kind="analysis", queue="frames", analysis=uuid.uuid4(), id=9, pk=9
    )


def trouble(client, rows, **headers) -> list[tuple]:
    """Sends everything; the requests that were answered with a 5xx."""
    client.raise_request_exception = False
    found = []

    def send(method: str, address: str, content_type: str, body: bytes) -> None:
        answer = client.generic(method, address, body, content_type, headers=headers)
        if answer.status_code >= 500:
            found.append((method, address, content_type, answer.status_code))

    for path in paths():
        names = re.findall(r"\{(\w+)\}", path)
        for method in METHODS:
            few = BODIES[:1] if path in SLOW else BODIES[:2]
            for content_type, body in few if path in SLOW or method in SAFE else BODIES:
                send(method, unknown(path), content_type, body)
                word = path.removeprefix("/api/v1/").partition("/")[0]
                if names and rows and word in {*rows, "models"}:
                    own = existing(rows, path, {})
                    address = path.format(**{name: own.get(name, own.get("id")) for name in names})
                    send(method, address, content_type, body)
    return found


def test_nobody_gets_a_5xx(user):
    assert trouble(Client(), {}) == []


def test_a_person_gets_no_5xx(signed_in, user, shipped, astronaut):
    assert trouble(signed_in, rows_of(user, astronaut)) == []


def test_an_administrator_gets_no_5xx(client, administrator, shipped, astronaut):
    client.force_login(administrator)
    rows = {**rows_of(administrator, astronaut), **rows_of_training(administrator)}

    assert trouble(client, rows) == []


def test_a_key_gets_no_5xx(administrator, shipped, astronaut):
    _key, text = keys.create(administrator, "key", ["read", "analyze", "train"])
    rows = {**rows_of(administrator, astronaut), **rows_of_training(administrator)}
    del rows["keys"]  # deleting its own would end the test

    assert trouble(Client(), rows, authorization=f"Bearer {text}") == []


def test_options_says_what_an_address_takes(user):
    text = keys.create(user, "key", ["read"])[1]
    answer = Client().options("/api/v1/analyses/", headers={"authorization": f"Bearer {text}"})

    assert answer.status_code == 200
    assert answer.json()["methods"] == ["GET", "POST", "HEAD", "OPTIONS"]
    assert "image/*" in answer.json()["parses"]
    assert answer["Allow"] == "GET, POST, HEAD, OPTIONS"


ODD = [
    {"accept": "text/html"},
    {"accept": ";;q=x"},
    {"authorization": "Bearer \xff\0"},
    {"authorization": "Bearer"},
    {"content-disposition": "attachment; filename*=UTF-8''%ff%00..%2f"},
    {"content-disposition": 'attachment; filename=".."'},
    {"content-length": "many"},
    {"idempotency-key": "\xff\0"},
    {"if-modified-since": "yesterday"},
    {"prefer": "wait=-1, wait=x"},
    {"range": "bytes=9-1"},
]


@pytest.mark.parametrize("header", ODD, ids=str)
@pytest.mark.parametrize("content_type", ["image/jpeg", "multipart/form-data; boundary=\xe9"])
def test_an_odd_header_is_no_5xx(signed_in, header, content_type):
    signed_in.raise_request_exception = False
    for method in METHODS:
        body = b"GIF89a"
        answer = signed_in.generic(method, "/api/v1/analyses/", body, content_type, headers=header)
        assert answer.status_code < 500, method


@pytest.mark.parametrize("name", ["..", "", "a\0b", "\ud800", "x" * 5000, 7, ["a"]])
def test_an_odd_name_is_no_5xx(signed_in, coffee, name):
    signed_in.raise_request_exception = False
    photo = {"data": base64.b64encode(coffee).decode(), "name": name}
    answer = signed_in.post("/api/v1/analyses/", {"image": photo}, "application/json")

    assert answer.status_code == 202, answer.content


@pytest.mark.parametrize("word", ["%00", "%ff", "..%2f", "x" * 3000, "%F0%9F%98%80"])
def test_an_odd_word_in_an_address_is_no_5xx(client, administrator, word):
    client.force_login(administrator)
    client.raise_request_exception = False
    for address in (f"jobs/queues/{word}/pause", f"jobs/{word}/{uuid.uuid4()}/retry", word):
        answer = client.post(f"/api/v1/{address}")
        assert answer.status_code < 500, address


@pytest.mark.parametrize("method", METHODS)
def test_the_last_slash_can_be_left_out(signed_in, method):
    signed_in.raise_request_exception = False
    with_it, without = (
        signed_in.generic(method, address, b"{}", "application/json")
        for address in ("/api/v1/analyses/", "/api/v1/analyses")
    )

    assert without.status_code == with_it.status_code != 404
    assert without.content == with_it.content


def test_a_filter_stays_when_the_last_slash_is_left_out(signed_in):
    answer = signed_in.get("/api/v1/analyses?status=made_up")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
