"""Every method on every route of the API is answered without an error of the server."""

import re
from uuid import uuid4

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from recognition.api import keys

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE")
BODIES = {
    "nothing": (b"", "application/octet-stream"),
    "json": (b"{}", "application/json"),
    "list": (b"[1]", "application/json"),
    "broken json": (b"{", "application/json"),
    "form": (b"a=1", "application/x-www-form-urlencoded"),
    "parts": (b"--x--\r\n", "multipart/form-data; boundary=x"),
    "photo": (b"no photo", "image/jpeg"),
}


def routes() -> list[str]:
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    return sorted(re.sub(r"\{\w*(id|pk)\w*\}", str(uuid4()), path) for path in paths)


def filled(path: str) -> list[str]:
    """The address with values of each kind in place of its parameters."""
    return [re.sub(r"\{\w+\}", value, path) for value in ("1", "analyses")]


@pytest.fixture(params=["anonymous", "person", "administrator", "key"])
def asker(request, user, admin_user) -> Client:
    # Errors of the server are answers here, as on a real site, instead of exceptions.
    if request.param == "key":
        _key, text = keys.create(admin_user, "test", ["read", "analyze", "train"])
        return Client(headers={"Authorization": f"Bearer {text}"}, raise_request_exception=False)
    client = Client(raise_request_exception=False)
    if request.param == "person":
        client.force_login(user)
    if request.param == "administrator":
        client.force_login(admin_user)
    return client


@pytest.mark.django_db
@pytest.mark.parametrize("method", METHODS)
def test_no_method_is_an_error_of_the_server(asker, method, settings):
    settings.API_RATE = None
    failures = []
    for path in {address for route in routes() for address in filled(route)}:
        for name, (body, kind) in BODIES.items():
            response = asker.generic(method, path, body, content_type=kind)
            if response.status_code >= 500:
                failures.append(f"{method} {path} with {name}: {response.status_code}")
    assert not failures, "\n".join(failures[:20])
