"""The pages of trainings and model versions: for administrators only."""

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from recognition.engine.classifier import SHIPPED_MODEL
from recognition.models import ModelEvent, ModelVersion
from recognition.registry import registry
from tests.conftest import confirm
from tests.recognition.networks import card, figures, network, shipped_card
from tests.training.conftest import started
from tests.training.weights import npz
from training.datasets.views import DATASETS_SHOWN
from training.models import Dataset, Evaluation, TrainingRun
from training.runs import runs

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(admin, client):
    client.force_login(admin)
    return client


@pytest.fixture
def shipped() -> ModelVersion:
    return registry.register_shipped_model()


@pytest.fixture
def better(shipped, admin) -> ModelVersion:
    """A second version, evaluated on the same faces."""
    return registry.register(network(1), shipped_card(), created_by=admin, note="a second one")


def test_the_list_shows_runs_and_what_can_be_trained_on(site, admin, dataset):
    run = started(admin, dataset)
    page = site.get("/training/")

    assert page.status_code == 200
    assert page.context["runs"][0]["id"] == str(run.pk)
    assert f'value="{dataset.pk}"' in page.content.decode()


def test_the_list_leads_to_data_sets_where_there_are_none(site):
    assert "Add a data set" in site.get("/training/").content.decode()


def test_a_run_is_shown_with_its_epochs_and_its_evaluation(site, admin, dataset, stand_in):
    run = started(admin, dataset, epochs=2)
    runs.run_next()
    run.refresh_from_db()
    Evaluation.objects.update(figures=figures(0.5))
    state = site.get(f"/training/runs/{run.pk}/").context["state"]

    assert (state["status"], len(state["epochs"])) == ("succeeded", 2)
    assert state["model_version"] == run.model_version.number
    assert state["evaluations"][0]["figures"]["accuracy"] == 0.5


def test_data_sets_are_shown_with_the_files_of_the_server(site, dataset):
    page = site.get("/training/datasets/")

    assert page.context["datasets"][0]["report"]["faces"] == 210
    assert "<option>faces.csv</option>" in page.content.decode()


def test_data_sets_are_shown_page_by_page(site, admin):
    for number in range(DATASETS_SHOWN + 1):
        Dataset.objects.create(name=f"set {number}", uploaded=True, size=1, sha256=f"{number:064}")
    first, second = (site.get(f"/training/datasets/?page={page}") for page in (1, 2))

    assert len(first.context["datasets"]) == DATASETS_SHOWN
    assert [dataset["name"] for dataset in second.context["datasets"]] == ["set 0"]
    assert 'rel="next"' in first.content.decode()
    assert 'rel="prev"' in second.content.decode()


def test_versions_are_listed_with_figures_and_trail(site, better):
    page = site.get("/models/").content.decode()

    assert page.count('data-state="active"') == 1
    assert "a second one" in page
    assert "root@example.org" in page


def test_a_version_shows_what_its_card_says(site, better, dataset):
    page = site.get(f"/models/{better.number}/")
    splits = {evaluation["split"] for evaluation in page.context["evaluations"]}

    assert splits == set(better.card["figures"])
    assert better.sha256 in page.content.decode()


@pytest.mark.parametrize("query", ["versions=1,2", "versions=1&versions=2"])
def test_versions_are_compared(site, better, query):
    page = site.get(f"/models/compare/?{query}")

    assert page.status_code == 200
    assert page.context["comparison"]["faces"] > 0


def test_versions_scored_on_other_faces_are_not_compared(site, shipped):
    registry.register(network(1), card(0.9))
    page = site.get("/models/compare/?versions=1,2")

    assert "evaluated on the same faces" in page.content.decode()


def test_versions_that_were_evaluated_here_are_compared_by_that(site, shipped, dataset):
    version = registry.register(network(1), {})
    for at, one in enumerate((shipped, version)):
        for split in ("Training", "PublicTest", "validation"):
            Evaluation.objects.create(
                version=one,
                dataset=dataset,
                split=split,
                status="succeeded",
                figures=figures(0.5 + at / 10),
            )
    comparison = site.get("/models/compare/?versions=1,2").context["comparison"]

    assert comparison["split"] == "PublicTest, faces.csv"
    assert comparison["accuracy"] == pytest.approx([0.5, 0.6])


@pytest.mark.parametrize("query", ["", "versions=1", "versions=1,99", "versions=x"])
def test_less_than_two_versions_are_not_compared(site, shipped, query):
    assert site.get(f"/models/compare/?{query}").url == "/models/"


def test_a_photo_is_read_by_each_version(site, better, astronaut):
    photo = SimpleUploadedFile("photo.jpg", astronaut)
    answer = site.post("/models/compare/photo/?versions=1,2", {"photo": photo})
    (face,) = answer.json()["faces"]

    assert len(face["probabilities"]) == 2


def test_a_file_that_is_no_photo_is_refused(site, better):
    photo = SimpleUploadedFile("photo.jpg", b"none")
    answer = site.post("/models/compare/photo/?versions=1,2", {"photo": photo})

    assert (answer.status_code, answer.json()["code"]) == (400, "not_an_image")


@pytest.mark.parametrize(("kind", "start"), [("onnx", b"\x08"), ("json", b"{"), ("zip", b"PK")])
def test_a_version_is_downloaded(site, shipped, kind, start):
    answer = site.get(f"/models/1/{kind}/")

    assert answer.content.startswith(start)
    assert f'filename="mien-version-1.{kind}"' in answer["Content-Disposition"]


def test_a_version_with_a_keras_file_offers_it(site, shipped):
    version = registry.register(network(2), card(0.5), keras=b"keras")
    address = f"/models/{version.number}/keras/"

    assert site.get(address).content == b"keras"
    assert address in site.get(f"/models/{version.number}/").content.decode()
    without = registry.register(network(3), card(0.5))
    address = f"/models/{without.number}/keras/"
    assert site.get(address).status_code == 404
    assert address not in site.get(f"/models/{without.number}/").content.decode()


def test_the_shipped_version_has_a_keras_file(site, shipped):
    assert site.get("/models/1/keras/").content == SHIPPED_MODEL.with_suffix(".keras").read_bytes()


def test_a_changed_keras_file_is_not_given_out(site, shipped):
    version = registry.register(network(2), card(0.5), keras=b"keras")
    default_storage.delete(version.keras.name)
    default_storage.save(version.keras.name, ContentFile(b"something else"))
    page = site.get(f"/models/{version.number}/keras/", follow=True)

    assert "is not the one registered" in page.content.decode()


def test_weights_wait_for_the_worker(site, admin, shipped):
    file = SimpleUploadedFile("theirs.npz", npz(np.ones(3)))
    page = site.post("/models/import/", {"file": file, "architecture": "se_resnet"}, follow=True)
    (found,) = page.context["imports"]

    assert (found["status"], found["architecture"]) == ("queued", "se_resnet")
    assert "are queued for import" in page.content.decode()


def test_a_version_is_archived(site, better):
    site.post(f"/models/{better.number}/archive/")
    better.refresh_from_db()

    assert better.archived


def test_the_version_in_use_is_not_archived(site, shipped):
    page = site.post("/models/1/archive/", follow=True)

    assert "is active. Promote another" in page.content.decode()


def test_a_promotion_is_rolled_back(site, better, admin):
    registry.promote(better, admin)
    confirm(site)
    site.post("/models/roll-back/")
    event = ModelEvent.objects.first()

    assert registry.active_version().number == 1
    assert (event.action, event.user) == ("rolled_back", admin)


def test_a_roll_back_waits_for_the_password_and_then_goes_on(site, better, admin):
    registry.promote(better, admin)
    asked = site.post("/models/roll-back/")
    assert registry.active_version().number == better.number

    assert asked.url == "/accounts/reauthenticate/?next=%2Fmodels%2Froll-back%2F"
    assert site.get(asked.url).status_code == 200
    site.post(asked.url, {"password": "correct horse", "next": "/models/roll-back/"})
    assert registry.active_version().number == 1


def test_where_nothing_was_in_use_before_that_is_said(site, shipped):
    confirm(site)
    page = site.post("/models/roll-back/", follow=True)

    assert "No version was active before" in page.content.decode()


def test_a_model_file_is_imported(site, admin, shipped):
    file = SimpleUploadedFile("model.onnx", network(3))
    answer = site.post("/models/import/", {"file": file, "note": "from elsewhere"})
    version = ModelVersion.objects.get(imported=True)

    assert answer.url == f"/models/{version.number}/"
    assert (version.created_by, version.note) == (admin, "from elsewhere")


@pytest.mark.parametrize("content", [b"no model", bytes(2000)])
def test_a_file_that_is_no_model_is_refused(site, shipped, settings, content):
    settings.MAX_MODEL_BYTES = 1000
    file = SimpleUploadedFile("model.onnx", content)
    page = site.post("/models/import/", {"file": file}, follow=True)

    assert page.context["messages"]
    assert ModelVersion.objects.count() == 1


def test_a_forged_form_of_another_site_changes_nothing(admin, better, client):
    client.handler.enforce_csrf_checks = True
    client.force_login(admin)
    file = SimpleUploadedFile("model.onnx", network(3))
    for address in (f"/models/{better.number}/archive/", "/models/roll-back/"):
        assert client.post(address).status_code == 403

    assert client.post("/models/import/", {"file": file}).status_code == 403
    assert not ModelVersion.objects.filter(imported=True).exists()


def test_a_run_that_is_gone_is_not_found(site, admin, dataset):
    run = started(admin, dataset)
    TrainingRun.objects.all().delete()

    assert site.get(f"/training/runs/{run.pk}/").status_code == 404
