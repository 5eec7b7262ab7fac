"""Corrections become a data set."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from recognition.engine.emotions import EMOTIONS
from recognition.jobs.lease import Status
from recognition.models import NOT_A_FACE, Face
from recognition.photos import corrections
from tests.recognition.drawn_photos import photo_of
from tests.training.conftest import started
from tests.training.drawing import draw_faces
from training.datasets import intake
from training.datasets import tasks as dataset_tasks
from training.models import Dataset
from training.runs import runs

DATASETS = "/api/v1/datasets/"
FACES = 210


@pytest.fixture
def corrected(admin):
    """An administrator's photo with 210 corrected faces, and one marked as no face."""
    images, labels = draw_faces(FACES + 1)
    faces = list(photo_of(admin, images).faces.all())
    for face, label in zip(faces, labels, strict=True):
        face.correction, face.corrected_at = EMOTIONS[label], timezone.now()
    faces[-1].correction = NOT_A_FACE
    Face.objects.bulk_update(faces, ["correction", "corrected_at"])
    return faces


@pytest.fixture
def api(admin, client):
    client.force_login(admin)
    return client


def check(dataset: Dataset) -> Dataset:
    dataset_tasks.check_dataset(str(dataset.pk))
    dataset.refresh_from_db()
    return dataset


def test_the_zip_that_is_downloaded_passes_the_check_when_it_is_uploaded(api, corrected):
    content = api.get("/api/v1/faces/corrections/").content
    answer = api.post(DATASETS, {"data": SimpleUploadedFile("mine.zip", content)})
    dataset = check(Dataset.objects.get(pk=answer.json()["id"]))

    assert (dataset.status, dataset.report["problem_count"]) == (Status.SUCCEEDED, 0)
    assert dataset.report["counts"] == {"Training": dict.fromkeys(EMOTIONS, FACES // 7)}
    assert dataset.report["sizes"] == {"48x48": FACES}


@pytest.mark.django_db(transaction=True)
def test_a_training_starts_on_one_s_own_corrections(admin, corrected, stand_in):
    dataset, created = intake.add_corrections(admin)
    run = started(admin, check(dataset), epochs=1)
    runs.run_next()
    run.refresh_from_db()

    assert created
    assert (run.status, run.epochs.count()) == (Status.SUCCEEDED, 1)


def test_a_button_makes_the_data_set_and_finds_it_again(api, corrected):
    page = api.get("/training/datasets/").content.decode()
    first, second = api.post(f"{DATASETS}corrections/"), api.post(f"{DATASETS}corrections/")

    assert "Use my corrections" in page
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert first.json()["name"] == "Corrections of root@example.org"


def test_a_further_correction_makes_another_data_set(admin, corrected):
    first, _created = intake.add_corrections(admin)
    corrections.correct(corrected[-1], "sad")
    second, created = intake.add_corrections(admin)

    assert created
    assert first != second


def test_without_corrections_of_one_s_own_there_is_nothing_to_use(api, user):
    photo = photo_of(user, draw_faces(1)[0])
    corrections.correct(photo.faces.get(), "sad")
    answer = api.post(f"{DATASETS}corrections/")

    assert "Use my corrections" not in api.get("/training/datasets/").content.decode()
    assert (answer.status_code, answer.json()["code"]) == (400, "no_corrections")
    assert not Dataset.objects.exists()


def test_the_limit_of_data_sets_holds(api, corrected, settings):
    settings.MAX_DATASET_BYTES = 1000
    answer = api.post(f"{DATASETS}corrections/")

    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")
