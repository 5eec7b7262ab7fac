"""Photos arrive in the fields of forms, in JSON, in chunks, and with or without the last slash."""

import base64
import io
import json
import os
import socket

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from recognition.models import Analysis
from recognition.photos.bodies import FIELDS
from tests.processes import wait_until

URL = "/api/v1/analyses/"
MAKE_KEY = """
from django.contrib.auth import get_user_model
from recognition.api import keys
user, _ = get_user_model().objects.get_or_create(username="program", email="program@example.org")
print(keys.create(user, "test", ["read", "analyze"])[1])
"""


def send_json(client, body, **headers):
    return client.post(URL, json.dumps(body), content_type="application/json", headers=headers)


def text_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize("field", FIELDS)
def test_every_usual_field_carries_photos(signed_in, coffee, field):
    photos = [SimpleUploadedFile(name, coffee) for name in ("a.jpg", "b.jpg")]
    response = signed_in.post(URL, {field: photos})
    assert response.status_code == 202
    assert [one["title"] for one in response.json()["analyses"]] == ["a.jpg", "b.jpg"]


def test_a_request_without_a_photo_names_the_fields(signed_in):
    response = signed_in.post(URL, {"picture": SimpleUploadedFile("a.jpg", b"x")})
    assert (response.status_code, response.json()["code"]) == (400, "no_files")
    assert '"photos"' in response.json()["detail"]


@pytest.mark.parametrize(
    "entry",
    [
        text_of,
        lambda content: f"data:image/jpeg;base64,{text_of(content)}",
        lambda content: "\n".join(text_of(content)[at : at + 76] for at in range(0, 99_999, 76)),
        lambda content: {"data": text_of(content), "name": "named.jpg"},
    ],
    ids=["base64", "data address", "lines", "object"],
)
def test_json_carries_a_photo(signed_in, entry):
    photo = io.BytesIO()
    Image.new("RGB", (64, 64), "gray").save(photo, "JPEG")
    response = send_json(signed_in, {"image": entry(photo.getvalue())})
    assert response.status_code == 202
    (analysis,) = response.json()["analyses"]
    assert analysis["title"] in ("photo", "named.jpg")


def test_json_carries_many_with_title_and_tags(signed_in, coffee, astronaut):
    images = [text_of(coffee), {"data": text_of(astronaut), "name": "b.jpg"}]
    response = send_json(signed_in, {"images": images, "tags": ["study 7"], "faces": "whole"})
    assert response.status_code == 202
    states = response.json()["analyses"]
    assert [state["title"] for state in states] == ["photo", "b.jpg"]
    assert [(state["tags"], state["face_mode"]) for state in states] == [(["study 7"], "whole")] * 2


def test_a_form_carries_title_and_tags(signed_in, coffee):
    photo = SimpleUploadedFile("a.jpg", coffee)
    data = {"photos": photo, "title": "Cup", "tags": ["one", "two"]}
    (state,) = signed_in.post(URL, data).json()["analyses"]
    assert (state["title"], state["tags"]) == ("Cup", ["one", "two"])
    assert "cup" in Analysis.objects.get().search_text


@pytest.mark.parametrize("entry", ["not base64!", 5, ["a"], {"name": "no data"}, "data:,%"])
def test_what_is_no_photo_in_json_is_named(signed_in, entry):
    response = send_json(signed_in, {"photo": entry})
    assert response.status_code in (400, 415)
    assert response.json()["code"] in ("invalid_base64", "not_an_image")
    assert not Analysis.objects.exists()


def test_a_photo_in_json_has_the_limit_of_files(signed_in, settings):
    settings.MAX_UPLOAD_BYTES = 1000
    response = send_json(signed_in, {"image": text_of(os.urandom(1200))})
    assert (response.status_code, response.json()["code"]) == (413, "file_too_large")
    response = send_json(signed_in, {"image": text_of(os.urandom(5000))})
    assert (response.status_code, response.json()["code"]) == (413, "request_too_large")


@pytest.mark.parametrize("method", ["get", "post", "head", "options"])
def test_addresses_work_without_their_last_slash(signed_in, coffee, method):
    data = {"photos": SimpleUploadedFile("a.jpg", coffee)} if method == "post" else {}
    response = getattr(signed_in, method)(URL.rstrip("/"), data or None)
    assert response.status_code == (202 if method == "post" else 200)


def test_options_tell_what_is_allowed(signed_in):
    response = signed_in.options(URL)
    assert "POST" in response["Allow"]
    assert "image/*" in response.json()["parses"]


def test_pages_of_other_sites_may_not_call_the_api(signed_in):
    assert "Access-Control-Allow-Origin" not in signed_in.get(
        URL, headers={"Origin": "https://lab.example.org"}
    )


def test_pages_of_sites_that_are_set_may(signed_in, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://lab.example.org"]
    asked = {"Origin": "https://lab.example.org", "Access-Control-Request-Method": "POST"}
    response = signed_in.options(URL, headers=asked)
    assert response["Access-Control-Allow-Origin"] == "https://lab.example.org"
    assert "idempotency-key" in response["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in response
    page = signed_in.get("/", headers={"Origin": "https://lab.example.org"})
    assert "Access-Control-Allow-Origin" not in page


# --- On a real server, byte by byte -------------------------------------------------------------


def make_key(site) -> str:
    return site.manage("shell", "-v0", "-c", MAKE_KEY).strip().splitlines()[-1]


def incoming(site) -> list:
    """The bodies of requests that are on the site's disk."""
    return list((site.data_dir / "incoming").iterdir())


def send_chunks(site, key: str, chunks: list[bytes], kind: str, *, end: bool = True) -> bytes:
    """A POST with `Transfer-Encoding: chunked`; the answer, or b"" if the end is not sent."""
    host, port = site.url.removeprefix("http://").split(":")
    head = f"POST {URL} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n"
    head += f"Content-Type: {kind}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    answer = b""
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(head.encode())
        try:
            for chunk in chunks:
                connection.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            if not end:
                return b""
            connection.sendall(b"0\r\n\r\n")
        except OSError:  # the server has refused it and closed the connection
            pass
        while part := connection.recv(2**16):
            answer += part
    return answer


def in_chunks(content: bytes, size: int = 5000) -> list[bytes]:
    return [content[at : at + size] for at in range(0, len(content), size)]


def test_a_photo_without_a_length_is_accepted(live_site, coffee):
    key = make_key(live_site)
    assert b"202 Accepted" in send_chunks(live_site, key, in_chunks(coffee), "image/jpeg")


def test_a_form_without_a_length_is_accepted(live_site, coffee):
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    form = part + coffee + b"\r\n--x--\r\n"
    kind = "multipart/form-data; boundary=x"
    answer = send_chunks(live_site, make_key(live_site), in_chunks(form), kind)
    assert b"202 Accepted" in answer
    assert b'"a.jpg"' in answer


def test_a_photo_without_a_length_has_the_limit_of_files(live_site):
    chunks = [bytes(2**20)] * 27
    answer = send_chunks(live_site, make_key(live_site), chunks, "image/jpeg")
    assert b" 413 " in answer.splitlines()[0]
    assert b"file_too_large" in answer


def test_the_limit_of_requests_holds_while_they_stream_in(live_site):
    chunks = [bytes(2**20)] * 220
    answer = send_chunks(live_site, make_key(live_site), chunks, "image/jpeg")
    assert not answer or b"413" in answer.splitlines()[0]
    assert incoming(live_site) == []


def test_a_client_that_goes_away_leaves_nothing_behind(live_site, coffee):
    key = make_key(live_site)
    rows = "from recognition.models import Analysis; print(Analysis.objects.count())"
    before = live_site.manage("shell", "-v0", "-c", rows)
    send_chunks(live_site, key, [coffee, bytes(3_000_000)], "image/jpeg", end=False)
    wait_until(lambda: not incoming(live_site), "the body to be deleted")
    assert live_site.manage("shell", "-v0", "-c", rows) == before
