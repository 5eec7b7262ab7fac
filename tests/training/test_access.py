"""Only administrators can see trainings, both pages and API."""

import pytest
from django.test import Client
from django.utils import timezone

from recognition.api import keys as api_keys
from recognition.imports import urls as imports
from recognition.jobs import urls as jobs
from recognition.models import MediaImport
from recognition.registry import registry
from tests.training.conftest import started
from training.models import Evaluation, ModelImport
from training.urls import urlpatterns

pytestmark = pytest.mark.django_db


def addresses(patterns, prefix="") -> list[str]:
    """Every route of these patterns."""
    found = []
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        inner = getattr(pattern, "url_patterns", None)
        found += [route] if inner is None else addresses(inner, route)
    return found


ROUTES = [
    *addresses(urlpatterns),
    *addresses(jobs.urlpatterns),
    *addresses(jobs.api_urlpatterns, "api/v1/"),
    *addresses(imports.api_urlpatterns, "api/v1/"),
]
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture
def keys(admin, dataset):
    """One object for each kind of address."""
    version = registry.register_shipped_model()
    evaluation = Evaluation.objects.create(
        version=version, dataset=dataset, split="PublicTest", finished_at=timezone.now()
    )
    return {
        "datasets": dataset.pk,
        "training-runs": started(admin, dataset).pk,
        "evaluations": evaluation.pk,
        "model-imports": ModelImport.objects.create(name="theirs.npz").pk,
        "jobs": evaluation.pk,
        "media-imports": MediaImport.objects.create(owner=admin, source="/photos").pk,
    }


def concrete(route: str, keys: dict) -> str:
    kinds = route.replace("training/runs/", "pages/training-runs/")
    key = next((key for kind, key in keys.items() if f"/{kind}/" in kinds), "")
    names = [("<uuid:pk>", key), ("<int:number>", 1), ("<str:queue>", "training")]
    names.append(("<str:kind>", "evaluation" if "/jobs/" in route else "onnx"))
    for written, value in names:
        route = route.replace(written, str(value))
    return "/" + route


def test_the_walk_finds_the_addresses():
    assert len(ROUTES) >= 34


@pytest.mark.parametrize("person", ["a stranger", "a normal user"])
def test_nobody_else_finds_anything(person, keys, user):
    client = Client()
    if person == "a normal user":
        client.force_login(user)

    for route in ROUTES:
        for method in METHODS:
            response = getattr(client, method)(concrete(route, keys))
            assert response.status_code == 404, (method, route)


def test_where_it_is_asked_for_nothing_opens_without_a_second_factor(keys, admin, settings):
    settings.STAFF_MFA = True
    client = Client()
    client.force_login(admin)

    for route in ROUTES:
        for method in METHODS:
            response = getattr(client, method)(concrete(route, keys))
            if route.startswith("api/"):
                code = response.json()["code"]
                assert (response.status_code, code) == (403, "second_factor_needed"), route
            else:
                assert response.url == "/accounts/2fa/", (method, route)


@pytest.mark.parametrize("page", ["", "training/", "training/dataset/", "training/trainingrun/"])
def test_django_s_admin_is_not_there_for_a_normal_user(user, admin, page):
    client = Client()
    assert client.get(f"/admin/{page}").status_code == 302  # strangers are asked to sign in
    client.force_login(user)
    assert client.get(f"/admin/{page}").status_code == 404
    client.force_login(admin)
    assert client.get(f"/admin/{page}").status_code == 200


def test_an_administrator_reads_all_that_can_be_read(admin, keys):
    client = Client()
    client.force_login(admin)

    assert client.get("/api/v1/jobs/").status_code == 200
    for kind, key in keys.items() - {("jobs", keys["jobs"])}:
        assert client.get(f"/api/v1/{kind}/").status_code == 200
        assert client.get(f"/api/v1/{kind}/{key}/").status_code == 200
    picture = client.get(f"/api/v1/datasets/{keys['datasets']}/sheet/")
    assert (picture["Content-Type"], picture["Cache-Control"]) == (
        "image/jpeg",
        "private, no-cache",
    )


def test_an_administrator_s_key_opens_it_only_with_the_scope(admin, keys):
    reader, trainer = (
        {"authorization": f"Bearer {api_keys.create(admin, 'key', scopes)[1]}"}
        for scopes in (["read", "analyze"], ["train"])
    )
    run = f"/api/v1/training-runs/{keys['training-runs']}/"

    for kind in keys.keys() - {"media-imports"}:  # those have the scope of uploads
        assert Client().get(f"/api/v1/{kind}/", headers=reader).status_code == 403
        assert Client().get(f"/api/v1/{kind}/", headers=trainer).status_code == 200
    assert Client().post(f"{run}cancel/", headers=reader).status_code == 403
    assert Client().post(f"{run}cancel/", headers=trainer).status_code == 200


def test_a_forged_form_of_another_site_starts_nothing(admin, keys):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    response = client.post("/api/v1/training-runs/", {"dataset": str(keys["datasets"])})

    assert response.status_code == 403
