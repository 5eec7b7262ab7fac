"""The API compared with its description, with random requests by three people."""

import socket

import pytest
import schemathesis
from django.conf import settings as site
from django.core.wsgi import get_wsgi_application
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings, strategies
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from recognition.jobs import workers
from tests.recognition.api.rows import Rows, existing, rows_of, rows_of_training

EXAMPLES = 12
# Checks that random requests can make. They can't check that valid ones are accepted.
CHECKS = (
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
)
TOKEN = "t" * 32  # CSRF token, in cookie and header

Credentials = dict[str, dict[str, str]]
NOTHING: Rows = {}


@schemathesis.serializer("application/offset+octet-stream")
def pieces(_context, value):
    """Pieces of uploads are bytes as they are."""
    return value if isinstance(value, bytes) else b"a piece"


@pytest.fixture
def administrator(transactional_db, django_user_model):
    return django_user_model.objects.create_superuser("admin", "admin@example.org", "x")


@pytest.fixture
def person(administrator, django_user_model):
    return django_user_model.objects.create_user("ada", "ada@example.org", "x")


@pytest.fixture
def api(administrator, settings, tmp_path, monkeypatch):
    """The API's description as served."""
    for name in ("MEDIA_ROOT", "DATASETS_DIR", "TRAINING_DIR", "DATASET_CACHE", "UPLOADS_DIR"):
        setattr(settings, name, tmp_path / name)
    settings.DATASETS_DIR.mkdir()
    settings.UPLOADS_DIR.mkdir()
    public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *about, **more: [public])
    monkeypatch.setattr(workers, "ANSWER_SECONDS", 0.05)
    return schemathesis.openapi.from_wsgi("/api/v1/schema/", get_wsgi_application())


bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def session_of(person) -> Credentials:
    """The headers of a signed-in browser."""
    client = Client()
    client.force_login(person)
    session = client.cookies[site.SESSION_COOKIE_NAME].value
    cookies = {site.SESSION_COOKIE_NAME: session, site.CSRF_COOKIE_NAME: TOKEN}
    return {"headers": {"X-CSRFToken": TOKEN}, "cookies": cookies}


def send_random_requests(api, credentials: Credentials | None = None, rows: Rows = NOTHING) -> None:
    """A limited number of random requests to every operation; responses must match the description.

    Some requests use existing objects.
    """
    # Don't mix in random credentials.
    api.config.generation.update(with_security_parameters=credentials is None)
    for operation in api.get_all_operations():

        @bounded
        @given(case=operation.ok().as_strategy(), exists=strategies.booleans())
        def send(case, exists):
            if exists and case.path_parameters:
                case.path_parameters = existing(rows, case.path, case.path_parameters)
            answer = case.call_and_validate(checks=CHECKS, **(credentials or {}))
            assert credentials is None or answer.status_code != 401

        send()


def test_nobody_breaks_the_api_or_its_description(api):
    send_random_requests(api)


def test_a_person_breaks_neither(api, person, astronaut):
    send_random_requests(api, session_of(person), rows_of(person, astronaut))


def test_an_administrator_breaks_neither(api, administrator, astronaut):
    rows = {**rows_of(administrator, astronaut), **rows_of_training(administrator)}
    send_random_requests(api, session_of(administrator), rows)
