"""Trainings on a site whose files are in object storage: each host finds what another has made."""

import json
import sys
import uuid
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from recognition.backup import restoring, writing
from recognition.jobs.lease import Status
from tests.recognition.object_store import *  # noqa: F403 a server of S3's
from tests.recognition.object_store import keys_in
from tests.training.conftest import started
from tests.training.drawing import write_csv
from tests.training.weights import npz
from training.core.checkpoint import CHECKPOINT, Epoch
from training.core.config import TrainingConfig
from training.datasets import intake
from training.datasets import tasks as dataset_tasks
from training.models import Dataset
from training.runs import checkpoints, launch, leftovers, runs, trainer
from training.versions import intake as version_intake
from training.versions import tasks as version_tasks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def bucket_site(s3, settings, tmp_path):
    """The site is on object storage, and this is its first host."""
    settings.DATASET_CACHE = tmp_path / "cache"
    return s3


def move_to_another_host() -> None:
    settings.TRAINING_DIR = settings.TRAINING_DIR.parent / f"host-{uuid.uuid4().hex[:6]}"


@pytest.fixture
def uploaded(admin, tmp_path, settings) -> Dataset:
    upload = SimpleUploadedFile(
        "faces.csv", write_csv(tmp_path / "faces.csv", count=140).read_bytes()
    )
    upload.too_large = False
    return intake.add_upload(admin, upload)[0]


def checked(dataset: Dataset) -> Dataset:
    dataset_tasks.check_dataset(str(dataset.pk))
    dataset.refresh_from_db()
    assert dataset.status == Status.SUCCEEDED, dataset.error_message
    return dataset


def write_checkpoint(path: Path, epochs: int) -> bytes:
    figures = dict.fromkeys(list(asdict(Epoch(*[0] * 9)))[1:], 0.5)
    facts = {
        "config": TrainingConfig().to_dict(),
        "epochs": [{"number": number + 1, **figures} for number in range(epochs)],
        "seconds": 1.0,
        "steps": epochs,
        "best_epoch": epochs,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # the training process, too, leaves the old file alone
    arrays = {"facts": np.array(json.dumps(facts)), "best/0000": np.ones(3)}
    with path.open("wb") as file:
        np.savez(file, **arrays)
    return path.read_bytes()


def test_an_uploaded_data_set_is_checked_on_another_host(uploaded, s3):
    assert keys_in(s3, "training") == [f"training/datasets/{uploaded.pk}/faces.csv"]
    move_to_another_host()
    assert sum(checked(uploaded).report["counts"]["Training"].values()) > 0


def test_a_data_set_is_deleted_on_all_hosts_in_the_end(uploaded, s3, monkeypatch):
    first = settings.TRAINING_DIR
    move_to_another_host()
    intake.remove(checked(uploaded))
    assert keys_in(s3, "training") == []
    assert not any((settings.TRAINING_DIR / "datasets").iterdir())
    settings.TRAINING_DIR = first
    assert any((first / "datasets").iterdir())
    monkeypatch.setattr(leftovers, "KEPT_SECONDS", -60)
    leftovers.delete_local()
    assert not any((first / "datasets").iterdir())


def test_a_refused_upload_leaves_nothing_in_the_bucket(admin, uploaded, s3, tmp_path):
    again = SimpleUploadedFile("again.csv", (tmp_path / "faces.csv").read_bytes())
    again.too_large = False
    assert intake.add_upload(admin, again) == (uploaded, False)
    assert len(keys_in(s3, "training")) == 1


def test_weights_become_a_version_on_another_host(admin, s3, monkeypatch):
    command = [sys.executable, "-m", "tests.training.versions.importer"]
    monkeypatch.setattr(trainer, "IMPORT_COMMAND", command)
    found = version_intake.add(
        admin, "a.npz", npz(np.ones(3, np.float32)), architecture="simple_cnn", enqueue=False
    )
    move_to_another_host()
    version_tasks.import_weights(str(found.pk))
    found.refresh_from_db()
    assert (found.status, found.model_version.imported) == (Status.SUCCEEDED, True)
    assert keys_in(s3, "training") == []


@pytest.mark.parametrize(("here", "there", "newest"), [(0, 3, 3), (2, 3, 3), (3, 2, 3)])
def test_the_newest_checkpoint_is_found(s3, here, there, newest):
    folder = settings.TRAINING_DIR / "runs" / "a"
    write_checkpoint(folder / CHECKPOINT, there)
    with checkpoints.sharing(folder) as share:
        share()
    assert keys_in(s3, "training") == [f"training/runs/a/{CHECKPOINT}"]
    move_to_another_host()
    folder = settings.TRAINING_DIR / "runs" / "a"
    if here:
        write_checkpoint(folder / CHECKPOINT, here)
    checkpoints.bring(folder)
    assert checkpoints.epochs_of(folder / CHECKPOINT) == newest
    assert [path.name for path in folder.iterdir()] == [CHECKPOINT]


def test_each_epoch_s_checkpoint_replaces_the_one_before(s3, server):
    server.flaky.fails = True
    path = settings.TRAINING_DIR / "runs" / "a" / CHECKPOINT
    with checkpoints.sharing(path.parent) as share:
        for epochs in (1, 2, 3):
            content = write_checkpoint(path, epochs)
            share()
    assert default_storage.open(f"training/runs/a/{CHECKPOINT}").read() == content


def test_trouble_with_the_storage_holds_up_no_training(s3, monkeypatch):
    path = settings.TRAINING_DIR / "runs" / "a" / CHECKPOINT
    write_checkpoint(path, 1)
    s3.delete_bucket(Bucket="mien")
    with checkpoints.sharing(path.parent) as share:
        share()
    assert path.exists()


@pytest.mark.usefixtures("stand_in")
def test_a_run_trains_on_an_uploaded_data_set_of_another_host(admin, uploaded, s3):
    run = started(admin, checked(uploaded))
    move_to_another_host()
    assert runs.run_next()
    run.refresh_from_db()
    assert run.status == Status.SUCCEEDED, run.traceback
    assert keys_in(s3, "training/runs") == []


def test_a_deleted_run_leaves_no_checkpoint(admin, uploaded, s3):
    run = started(admin, checked(uploaded))
    write_checkpoint(runs.folder_of(run) / CHECKPOINT, 1)
    with checkpoints.sharing(runs.folder_of(run)) as share:
        share()
    move_to_another_host()
    runs.cancel(run)
    launch.remove(run)
    assert keys_in(s3, "training/runs") == []


def test_orphans_in_the_bucket_are_deleted_and_no_others(admin, uploaded, s3, monkeypatch):
    orphan, kept = f"training/runs/{uuid.uuid4()}/{CHECKPOINT}", keys_in(s3, "training")
    for name in (orphan, "training/runs/mine/notes.txt"):
        default_storage.save(name, ContentFile(b"x"))
    leftovers.delete_leftovers()
    assert orphan in keys_in(s3)  # it may be on its way
    monkeypatch.setattr(leftovers, "KEPT_SECONDS", -60)
    leftovers.delete_leftovers()
    assert keys_in(s3, "training") == [*kept, "training/runs/mine/notes.txt"]


def test_files_of_trainings_move_with_the_storage(uploaded, s3, settings):
    path = settings.TRAINING_DIR / "datasets" / str(uploaded.pk) / "faces.csv"
    content = path.read_bytes()
    call_command("move_storage", "folder", "--delete")
    assert (path.read_bytes(), keys_in(s3)) == (content, [])
    call_command("move_storage", "s3")
    assert keys_in(s3) == [f"training/datasets/{uploaded.pk}/faces.csv"]
    assert not (Path(settings.MEDIA_ROOT) / "training").exists()


def test_a_backup_holds_an_uploaded_data_set_once(uploaded, tmp_path):
    with (tmp_path / "backup.tar").open("wb") as file:
        summary = writing.write(file)
    content = (tmp_path / "backup.tar").read_bytes()
    assert content.count(f"{uploaded.pk}/faces.csv\0".encode()) == 1
    assert not summary.missing


@pytest.mark.parametrize("remote", [True, False])
@pytest.mark.parametrize("folder", ["files/training", "files/media/training"])
def test_a_backup_fits_either_storage(s3, folder, remote, settings):
    if not remote:
        backend = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
        settings.STORAGES = settings.STORAGES | {"default": backend}
    restoring._store(f"{folder}/datasets/a/b", ContentFile(b"faces"))
    local = settings.TRAINING_DIR / "datasets/a/b"
    if remote:
        assert default_storage.open("training/datasets/a/b").read() == b"faces"
    else:
        assert local.read_bytes() == b"faces"
        assert not (Path(settings.MEDIA_ROOT) / "training").exists()
