"""Decisions about folders' names: asked for by the check, made in the form and over the API."""

import io
import json
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.training.core.data.test_folders import png
from training.datasets import tasks as dataset_tasks
from training.models import Dataset, TrainingRun
from training.runs.runs import job_of

pytestmark = pytest.mark.django_db

URL = "/api/v1/datasets/"


def faces_in(*folders: str) -> SimpleUploadedFile:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for at, folder in enumerate(folders):
            for number in range(4):
                archive.writestr(f"{folder}/{number}.png", png(level=30 + 10 * at + number))
    return SimpleUploadedFile("faces.zip", file.getvalue())


def checked() -> Dataset:
    dataset = Dataset.objects.get()
    dataset_tasks.check_dataset(str(dataset.pk))
    dataset.refresh_from_db()
    return dataset


def test_the_field_may_be_called_file(admin_client):
    response = admin_client.post(URL, {"file": faces_in("happy", "sad")})
    assert response.status_code == 201
    assert checked().status == "succeeded"


def test_a_missing_file_is_named(admin_client):
    response = admin_client.post(URL, {"dataset": faces_in("happy")})
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "data"
    assert '"data"' in response.json()["detail"]


def test_unknown_classes_fail_the_check_with_their_counts(admin_client):
    admin_client.post(URL, {"data": faces_in("happy", "sad", "contempt")})
    dataset = checked()
    assert (dataset.status, dataset.error_code) == ("failed", "unknown_classes")
    assert dataset.report["unknown"] == {"contempt": 4}


def test_they_are_left_out_after_a_second_check(admin_client):
    admin_client.post(URL, {"data": faces_in("happy", "sad", "contempt")})
    dataset = checked()
    response = admin_client.post(
        f"{URL}{dataset.pk}/check/",
        json.dumps({"leave_out_unknown": True}),
        content_type="application/json",
    )
    assert (response.status_code, response.json()["status"]) == (202, "queued")
    dataset = checked()
    assert (dataset.status, dataset.report["faces"]) == ("succeeded", 8)
    assert dataset.report["left_out"]


def test_the_decision_can_be_sent_with_the_file(admin_client):
    data = {"data": faces_in("happy", "sad", "contempt"), "leave_out_unknown": "true"}
    admin_client.post(URL, data)
    assert checked().status == "succeeded"


def test_the_same_file_with_a_decision_is_checked_again(admin_client):
    admin_client.post(URL, {"data": faces_in("0", "3")})
    assert checked().error_code == "numbered_classes"
    response = admin_client.post(URL, {"data": faces_in("0", "3"), "class_order": "fer2013"})
    assert response.status_code == 200
    dataset = checked()
    assert (dataset.status, dataset.class_order) == ("succeeded", "fer2013")
    assert dataset.report["counts"]["Training"]["happy"] == 4


def test_an_order_that_does_not_exist_is_named(admin_client):
    response = admin_client.post(URL, {"data": faces_in("0"), "class_order": "by date"})
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "class_order"
    assert not Dataset.objects.exists()


def test_a_good_data_set_is_not_checked_again(admin_client):
    admin_client.post(URL, {"data": faces_in("happy", "sad")})
    response = admin_client.post(f"{URL}{checked().pk}/check/")
    assert (response.status_code, response.json()["code"]) == (409, "not_retryable")


def test_a_training_reads_the_data_as_it_was_checked(admin_client):
    admin_client.post(URL, {"data": faces_in("0", "3"), "class_order": "alphabetical"})
    run = TrainingRun(dataset=checked(), preset="quick", config={})
    assert job_of(run)["classes"] == {"leave_out_unknown": False, "order": "alphabetical"}
