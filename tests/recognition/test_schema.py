"""The API against its own description, with random requests of three people."""

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from recognition import analyses, keys
from tests.recognition.uploads import submit

EXAMPLES = 15
# What random requests can tell. Whether a valid one is accepted they cannot: photos are not random.
CHECKS = (
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
)


@pytest.fixture
def administrator(transactional_db, django_user_model):
    return django_user_model.objects.create_superuser("admin", "admin@example.org", "x")


@pytest.fixture
def api(administrator):
    """The description of the API as a site serves it."""
    return schemathesis.openapi.from_wsgi("/api/v1/schema/", get_wsgi_application())


bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def person(administrator, django_user_model):
    return django_user_model.objects.create_user("ada", "ada@example.org", "x")


def key_of(person, photo: bytes) -> dict[str, str]:
    """The header of somebody's key, who has one analysis."""
    analyses.run_analysis(str(submit(person, photo).pk))
    return {"Authorization": f"Bearer {keys.create(person, 'k', ['read', 'analyze', 'train'])[1]}"}


def send_random_requests(api, headers: dict[str, str]) -> None:
    """Bounded random requests to every operation; each answer must fit the description."""
    for operation in api.get_all_operations():

        @bounded
        @given(case=operation.ok().as_strategy())
        def send(case):
            case.call_and_validate(headers=headers, checks=CHECKS)

        send()


def test_nobody_breaks_the_api_or_its_description(api):
    send_random_requests(api, {})


def test_a_person_breaks_neither(api, person, astronaut):
    send_random_requests(api, key_of(person, astronaut))


def test_an_administrator_breaks_neither(api, administrator, astronaut):
    send_random_requests(api, key_of(administrator, astronaut))
