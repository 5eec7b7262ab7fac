"""Only administrators may send bodies larger than photos, and only as data sets."""

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import Client

from fer_site.upload_limit import limit_of
from recognition.api import keys

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]

DATASETS = "/api/v1/datasets/"


@pytest.fixture
def admin(user, django_user_model):
    return django_user_model.objects.get(username="admin")


def scope(path: str = DATASETS, method: str = "POST", **headers: str) -> dict:
    named = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": method, "path": path, "query_string": b"", "headers": named}


def session_of(person) -> dict[str, str]:
    client = Client()
    client.force_login(person)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    return {"cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}"}


def key_of(person) -> dict[str, str]:
    return {"authorization": f"Bearer {keys.create(person, 'key', ['train'])[1]}"}


@pytest.mark.parametrize("credentials", [session_of, key_of])
async def test_an_administrator_may_send_a_data_set(admin, credentials):
    headers = await sync_to_async(credentials)(admin)

    assert await limit_of(scope(**headers)) > settings.MAX_DATASET_BYTES
    assert await limit_of(scope("/api/v1/analyses/", **headers)) == settings.MAX_REQUEST_BYTES
    assert await limit_of(scope(method="PUT", **headers)) == settings.MAX_REQUEST_BYTES


@pytest.mark.parametrize("credentials", [session_of, key_of])
async def test_nobody_else_may(user, credentials):
    headers = await sync_to_async(credentials)(user)

    assert await limit_of(scope(**headers)) == settings.MAX_REQUEST_BYTES


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer mien_made_up"}, {"cookie": "sessionid=made-up"}],
)
async def test_nor_may_a_stranger(db, headers):
    assert await limit_of(scope(**headers)) == settings.MAX_REQUEST_BYTES
