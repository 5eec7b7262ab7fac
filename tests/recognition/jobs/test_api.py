"""/api/v1/jobs/ and the page of jobs, for administrators."""

import pytest
from django.test import Client

from recognition.api import keys
from recognition.jobs import pauses
from recognition.models import Analysis
from tests.recognition.uploads import submit

pytestmark = pytest.mark.django_db

JOBS = "/api/v1/jobs/"


@pytest.fixture
def site(admin, client):
    client.force_login(admin)
    return client


@pytest.fixture
def photo(user, astronaut) -> Analysis:
    return submit(user, astronaut, "my holiday.jpg")


def fail(photo: Analysis, **values) -> None:
    values = {"error_code": "gave_up", "traceback": "OSError: the disk is full", **values}
    Analysis.objects.filter(pk=photo.pk).update(status="failed", **values)


def test_the_overview_and_the_page_show_the_same(site, photo):
    fail(photo)
    overview = site.get(JOBS).json()
    page = site.get("/jobs/")

    assert overview["failures"][0]["traceback"] == "OSError: the disk is full"
    assert page.context["overview"]["failures"] == overview["failures"]
    assert "holiday" not in page.content.decode()


def test_the_workers_are_read_apart(site):
    assert set(site.get(f"{JOBS}workers/").json()) == {"reachable", "workers", "consumers"}


def test_a_job_is_canceled_and_tried_again(site, photo):
    address = f"{JOBS}analysis/{photo.pk}/"
    canceled = site.post(f"{address}cancel/")
    assert (canceled.status_code, canceled.json()["status"]) == (200, "canceled")
    refused = site.post(f"{address}cancel/")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_cancelable")

    retried = site.post(f"{address}retry/")
    assert (retried.status_code, retried.json()["status"]) == (202, "queued")
    refused = site.post(f"{address}retry/")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_retryable")


def test_what_has_no_upload_any_more_is_not_tried_again(site, photo):
    fail(photo, source="")
    response = site.post(f"{JOBS}analysis/{photo.pk}/retry/")

    assert response.json()["code"] == "not_retryable"


def test_all_with_a_code_are_tried_again(site, photo):
    fail(photo)
    response = site.post(
        f"{JOBS}retry/", {"kind": "analysis", "code": "gave_up"}, "application/json"
    )

    assert (response.status_code, response.json()) == (202, {"retried": 1})
    photo.refresh_from_db()
    assert photo.status == "queued"


def test_an_unknown_kind_is_named(site):
    response = site.post(f"{JOBS}retry/", {"kind": "cake", "code": "x"}, "application/json")

    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "kind")


def test_a_queue_is_paused_and_resumed(site, admin):
    for _ in range(2):  # the second time it is already paused
        state = site.post(f"{JOBS}queues/training/pause/").json()
        assert (state["paused"], state["changed_by"]) == (True, admin.email)
    assert pauses.is_paused("training")

    assert not site.post(f"{JOBS}queues/training/resume/").json()["paused"]
    assert not pauses.is_paused("training")


def test_frames_cannot_be_paused(site):
    response = site.post(f"{JOBS}queues/frames/pause/")

    assert (response.status_code, response.json()["code"]) == (409, "not_pausable")


@pytest.mark.parametrize("address", ["queues/cakes/pause/", "queues/cakes/resume/"])
def test_there_is_no_other_queue(site, address):
    assert site.post(JOBS + address).status_code == 404


def test_there_is_no_other_kind_and_no_other_job(site, photo):
    stranger = "00000000-0000-0000-0000-000000000000"
    for address in (f"cake/{photo.pk}", f"training/{photo.pk}", f"analysis/{stranger}"):
        assert site.post(f"{JOBS}{address}/cancel/").status_code == 404


def test_a_key_needs_the_scope(admin, photo):
    reader, trainer = (
        {"authorization": f"Bearer {keys.create(admin, 'key', scopes)[1]}"}
        for scopes in (["read", "analyze"], ["train"])
    )
    pause = f"{JOBS}queues/analyses/pause/"

    assert Client().get(JOBS, headers=reader).status_code == 403
    assert Client().get(JOBS, headers=trainer).status_code == 200
    assert Client().post(pause, headers=reader).status_code == 403
    assert Client().post(pause, headers=trainer).status_code == 200


def test_a_forged_form_of_another_site_pauses_nothing(admin):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)

    assert client.post(f"{JOBS}queues/analyses/pause/").status_code == 403
    assert not pauses.is_paused("analyses")
