"""Data sets, runs and administrators for the tests of the Django side of training."""

import sys

import pytest
from django.db import connection

from tests.processes import Process, start_worker
from tests.training.drawing import write_csv
from training.datasets import intake
from training.datasets import tasks as dataset_tasks
from training.models import Dataset, TrainingRun
from training.runs import launch, trainer

STAND_IN = [sys.executable, "-m", "tests.training.stand_in"]


@pytest.fixture(autouse=True)
def training_folders(settings, tmp_path_factory):
    """The training folder of these tests."""
    folder = tmp_path_factory.mktemp("site")
    settings.MEDIA_ROOT = folder / "media"
    settings.DATASETS_DIR = folder / "datasets"
    settings.TRAINING_DIR = folder / "training"
    settings.DATASET_CACHE = folder / "cache"
    settings.DATASETS_DIR.mkdir()


@pytest.fixture
def admin(db, django_user_model):
    return django_user_model.objects.create_superuser("root", "root@example.org", "correct horse")


@pytest.fixture
def dataset(admin, settings) -> Dataset:
    """A checked data set of 210 drawn faces."""
    write_csv(settings.DATASETS_DIR / "faces.csv", count=210)
    dataset, _created = intake.add_path(admin, "faces.csv")
    dataset_tasks.check_dataset(str(dataset.pk))
    dataset.refresh_from_db()
    assert dataset.status == Dataset.Status.SUCCEEDED
    return dataset


@pytest.fixture
def stand_in(monkeypatch):
    """Replace trainings by a stand-in that starts at once."""
    monkeypatch.setattr(trainer, "COMMAND", STAND_IN)


def started(admin, dataset, epochs: int = 5, **options) -> TrainingRun:
    """A queued run with this many epochs."""
    return launch.start(
        admin, dataset, "quick", {"epochs": epochs, "validation": 0.1, "batch_size": 16, **options}
    )


def numbers(run: TrainingRun) -> list[int]:
    """The stored epoch numbers of a run."""
    return list(run.epochs.values_list("number", flat=True))


@pytest.fixture
def training_worker(transactional_db, redis_server, tmp_path, settings):
    """Starts real workers of the training queue, whose trainings are the stand-in."""
    workers = []

    def start(**environment: str) -> Process:
        environment |= {
            "MIEN_TEST_DATABASE": str(connection.settings_dict["NAME"]),
            "MIEN_TEST_TRAINING": str(settings.TRAINING_DIR),
        }
        log = tmp_path / f"training-{len(workers)}.log"
        workers.append(start_worker(log, "training", "solo", **environment))
        return workers[-1]

    yield start
    for process in workers:
        process.kill()
    redis_server.client.flushdb()
