"""Data sets are added by upload or from the server's folder, each content once."""

import os

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.training.conftest import started
from tests.training.drawing import write_csv, write_votes
from training.datasets import checks, intake
from training.datasets import tasks as dataset_tasks
from training.datasets.intake import DatasetRefused
from training.models import Dataset

pytestmark = pytest.mark.django_db


def upload_of(content: bytes, name: str = "faces.csv", too_large: bool = False):
    upload = SimpleUploadedFile(name, content)
    upload.too_large = too_large
    return upload


@pytest.fixture
def csv(tmp_path) -> bytes:
    return write_csv(tmp_path / "faces.csv", count=70).read_bytes()


def test_an_upload_is_stored_and_checked(admin, csv, settings):
    dataset, created = intake.add_upload(admin, upload_of(csv))
    dataset_tasks.check_dataset(str(dataset.pk))
    dataset.refresh_from_db()

    assert created
    assert (dataset.status, dataset.report["faces"]) == ("succeeded", 70)
    assert dataset.path == f"{settings.TRAINING_DIR}/datasets/{dataset.pk}/faces.csv"
    assert dataset.sheet.read(2) == b"\xff\xd8"


def test_the_same_file_twice_is_one_data_set(admin, csv, settings):
    first, _created = intake.add_upload(admin, upload_of(csv))
    (settings.DATASETS_DIR / "other-name.csv").write_bytes(csv)

    assert intake.add_upload(admin, upload_of(csv)) == (first, False)
    assert intake.add_path(admin, "other-name.csv") == (first, False)
    assert len(list((settings.TRAINING_DIR / "datasets").iterdir())) == 1


def test_other_votes_make_another_data_set(admin, csv):
    plain, _created = intake.add_upload(admin, upload_of(csv))
    voted, created = intake.add_upload(admin, upload_of(csv), upload_of(b"votes", "votes.csv"))

    assert created
    assert voted != plain
    assert voted.votes_path.endswith("votes-votes.csv")


def test_votes_beside_a_file_of_the_server_are_taken(admin, settings):
    write_csv(settings.DATASETS_DIR / "faces.csv")
    write_votes(settings.DATASETS_DIR / "fer2013new.csv", [])
    dataset, _created = intake.add_path(admin, "faces.csv")

    assert dataset.votes_path == str(settings.DATASETS_DIR / "fer2013new.csv")
    assert intake.server_files() == ["faces.csv"]


def test_votes_are_offered_as_such_and_not_as_data(admin, settings):
    write_csv(settings.DATASETS_DIR / "faces.csv")
    for name in ("fer2013new.csv.gz", "FER2013new.csv"):
        (settings.DATASETS_DIR / name).write_bytes(b"votes")
    (settings.DATASETS_DIR / "classes").mkdir()

    assert intake.server_files() == ["classes", "faces.csv"]
    assert intake.server_votes() == ["FER2013new.csv", "faces.csv", "fer2013new.csv.gz"]
    chosen, _created = intake.add_path(admin, "faces.csv", "fer2013new.csv.gz")
    assert chosen.votes_path.endswith("fer2013new.csv.gz")


@pytest.mark.parametrize("path", ["../secret.csv", "/etc/passwd", "link.csv", "gone.csv", "", "."])
def test_what_lies_outside_of_the_folder_is_not_found(admin, settings, tmp_path, path):
    (tmp_path / "secret.csv").write_text("emotion,pixels\n")
    os.symlink(tmp_path / "secret.csv", settings.DATASETS_DIR / "link.csv")

    with pytest.raises(DatasetRefused) as refused:
        intake.add_path(admin, path)
    assert refused.value.code == "not_in_folder"
    assert not Dataset.objects.exists()


@pytest.mark.parametrize("name", ["faces.exe", "faces.csv.zip.keras", "csv", "faces.gz"])
def test_other_kinds_of_files_are_refused(admin, csv, settings, name):
    with pytest.raises(DatasetRefused) as refused:
        intake.add_upload(admin, upload_of(csv, name))

    assert refused.value.code == "wrong_kind"
    assert not list((settings.TRAINING_DIR / "datasets").iterdir())


def test_a_name_cannot_lead_out_of_the_folder(admin, csv, settings):
    upload = upload_of(csv)
    upload._name = "../../évil name.csv"
    dataset, _created = intake.add_upload(admin, upload)

    assert dataset.path == f"{settings.TRAINING_DIR}/datasets/{dataset.pk}/_vil_name.csv"


def test_a_file_that_is_too_large_is_refused(admin, csv):
    with pytest.raises(DatasetRefused, match="Compress it") as refused:
        intake.add_upload(admin, upload_of(csv, too_large=True))

    assert refused.value.code == "file_too_large"


def test_malformed_rows_are_reported(admin):
    content = b"emotion,pixels,Usage\n9,1,Training\n0,1 2,Training\n"
    dataset, _created = intake.add_upload(admin, upload_of(content))
    dataset_tasks.check_dataset(str(dataset.pk))
    dataset.refresh_from_db()

    assert (dataset.status, dataset.error_code) == ("failed", "malformed")
    assert dataset.error_message.startswith("2 entries can't be read. The first: faces.csv, line 2")
    assert "line 3" in dataset.report["problems"][1]


def test_a_check_that_is_delivered_twice_runs_once(admin, csv, monkeypatch):
    dataset, _created = intake.add_upload(admin, upload_of(csv))
    dataset_tasks.check_dataset(str(dataset.pk))
    monkeypatch.setattr(checks, "check", lambda dataset: pytest.fail("checked again"))
    dataset_tasks.check_dataset(str(dataset.pk))


def test_a_check_that_breaks_off_is_tried_three_times(admin, csv, monkeypatch):
    def break_off(dataset):
        raise OSError("disk full")

    monkeypatch.setattr(checks, "check", break_off)
    dataset, _created = intake.add_upload(admin, upload_of(csv))
    for _ in range(4):
        dataset_tasks.check_dataset(str(dataset.pk))
    dataset.refresh_from_db()

    assert (dataset.status, dataset.error_code, dataset.attempts) == ("failed", "gave_up", 3)
    assert intake.add_upload(admin, upload_of(csv)) == (dataset, False)
    dataset.refresh_from_db()
    assert (dataset.status, dataset.error_code) == ("queued", "")


def test_a_deleted_data_set_leaves_no_file(admin, csv, settings):
    dataset, _created = intake.add_upload(admin, upload_of(csv))
    dataset_tasks.check_dataset(str(dataset.pk))
    dataset.refresh_from_db()
    sheet = dataset.sheet.path
    intake.remove(dataset)

    assert not os.path.exists(sheet)
    assert not list((settings.TRAINING_DIR / "datasets").iterdir())


def test_a_data_set_that_was_trained_on_is_kept(admin, dataset):
    started(admin, dataset)

    with pytest.raises(DatasetRefused) as refused:
        intake.remove(dataset)
    assert refused.value.code == "in_use"
