"""Django's admin."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.files.storage import default_storage
from django.test import Client

from recognition.accounts import erasure
from recognition.api import keys
from recognition.history import exports
from recognition.history import tasks as export_tasks
from recognition.models import Allowance, Analysis, ApiKey, Delivery, Export, Face, Webhook
from recognition.photos import tasks as photo_tasks
from tests.recognition.uploads import submit

FOLDERS = ["incoming", "photos", "thumbnails", exports.FOLDER]


@pytest.fixture
def site(user):
    """A test client of the administrator."""
    client = Client()
    client.force_login(get_user_model().objects.get(username="admin"))
    return client


def test_the_form_of_a_limit_says_what_zero_and_nothing_mean(site):
    form = site.get("/admin/recognition/allowance/add/").content.decode()
    assert form.count("Leave empty for no exception; 0 allows nothing.") == 3


def stored_files() -> list[str]:
    folders = filter(default_storage.exists, FOLDERS)
    return [name for folder in folders for name in default_storage.listdir(folder)[1]]


@pytest.mark.parametrize("page", ["change", "delete"])
def test_a_page_about_an_analysis_says_nothing_of_what_it_shows(site, user, astronaut, page):
    analysis = submit(user, astronaut, "my holiday.jpg")
    photo_tasks.analyze(str(analysis.pk))
    shown = site.get(f"/admin/recognition/analysis/{analysis.pk}/{page}/").content.decode()

    assert f"analysis {analysis.pk}" in shown
    assert "holiday" not in shown
    assert Face.objects.get().emotion not in shown


def test_the_page_on_which_a_person_is_deleted_names_no_titles_and_no_addresses(
    site, user, astronaut
):
    Webhook.objects.create(owner=user, url="https://8.8.8.8/secret")
    photo_tasks.analyze(str(submit(user, astronaut, "my holiday.jpg").pk))
    shown = site.get(f"/admin/auth/user/{user.pk}/delete/").content.decode()

    assert str(Delivery.objects.get()) in shown
    for word in ("holiday", "8.8.8.8", "succeeded", Face.objects.get().emotion):
        assert word not in shown


def test_a_person_is_deleted_with_everything(
    site, user, astronaut, monkeypatch, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path  # a folder that no other test uses
    keys.create(user, "key", ["read"])
    Allowance.objects.create(user=user, upload_mb=1)
    Webhook.objects.create(owner=user, url="https://8.8.8.8/")
    waiting = submit(user, astronaut)
    photo_tasks.analyze(str(submit(user, astronaut).pk))
    export_tasks.export(str(Export.objects.create(owner=user, format="csv").pk))
    assert waiting.source
    assert Delivery.objects.exists()
    assert len(stored_files()) == 4

    response = site.post(f"/admin/auth/user/{user.pk}/delete/", {"post": "yes"})

    assert response.status_code == 302
    assert erasure.erase_closed() == 1
    assert not get_user_model().objects.filter(pk=user.pk).exists()
    for model in (Allowance, Analysis, ApiKey, Delivery, Export, Face, Webhook):
        assert not model.objects.exists()
    assert stored_files() == []


def test_a_shortcut_to_a_row_that_cannot_be_is_not_found(site):
    # The keys of analyses are UUIDs, which Django's own view doesn't expect.
    kind = ContentType.objects.get_for_model(Analysis)
    assert site.get(f"/admin/r/{kind.pk}/1/").status_code == 404
