"""Trainings for the screenshots: data sets, runs in each state, two versions.

`fill` runs inside the site, by `manage.py shell`.
"""

import math
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.utils import timezone

from recognition.registry import registry
from tests.recognition.networks import network, shipped_card
from tests.training.drawing import draw_faces, write_csv
from training.core.data.inspection import encode_jpeg
from training.datasets import intake
from training.datasets import tasks as dataset_tasks
from training.models import Dataset, Epoch, Evaluation, ModelImport, TrainingRun
from training.runs import launch

LOG = "210 faces, 7 classes\nepoch 1\nepoch 2\nepoch 3\n"


def fill() -> None:
    user = get_user_model().objects.get(is_superuser=True)
    registry.register_shipped_model()
    dataset = add_dataset(user, "faces.csv", write_csv)
    add_dataset(
        user, "broken.csv", lambda path, **_: path.write_text("emotion,pixels,Usage\n9,x,\n")
    )
    version = registry.register(
        network(1), shipped_card(), keras=b"keras", created_by=user, note="a longer one"
    )
    registry.promote(version, user, confirmed=True)
    done = add_run(user, dataset, 14, status="succeeded", phase="done", model_version=version)
    add_evaluation(done, version)
    progress = {"epoch": 6, "epochs": 16, "batch": 41, "batches": 88, "share": 0.34}
    progress |= {"faces_per_second": 412.0, "seconds_left": 263.0}
    add_run(user, dataset, 5, status="running", phase="training", progress=progress)
    add_run(user, dataset, 3, status="failed", error_code="gave_up", error_message="It broke off.")
    add_run(user, dataset, 0, status="queued")
    add_import(user, "weights.npz", status="running", step="exporting")
    message = "simple_cnn has 41 arrays of weights; the file has 3."
    add_import(user, "other.npz", status="failed", error_code="shapes", error_message=message)


def add_dataset(user, name: str, write) -> Dataset:
    path = Path(settings.DATASETS_DIR) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, count=210)
    dataset = intake.add_path(user, name)[0]
    dataset_tasks.check_dataset(str(dataset.pk))
    dataset.refresh_from_db()
    return dataset


def write_broken(path: Path, count: int) -> None:
    path.write_text("emotion,pixels,Usage\n" + "9,1 2 3,Training\n" * count)


def add_run(user, dataset: Dataset, epochs: int, **values) -> TrainingRun:
    now = timezone.now()
    values = {"started_at": now, "lease_expires_at": now + timedelta(days=1), "log": LOG, **values}
    config = launch.PRESETS["balanced"].to_dict()
    run = TrainingRun.objects.create(
        dataset=dataset, preset="balanced", config=config, created_by=user, **values
    )
    Epoch.objects.bulk_create(draw_epoch(run, number) for number in range(1, epochs + 1))
    return run


def add_import(user, name: str, **values) -> None:
    expires_at = timezone.now() + timedelta(days=1)
    values = {"lease_expires_at": expires_at, "architecture": "simple_cnn", **values}
    ModelImport.objects.create(name=name, created_by=user, **values)


def draw_epoch(run: TrainingRun, number: int) -> Epoch:
    done = 1 - math.exp(-number / 5)
    return Epoch(
        run=run,
        number=number,
        side=32 if number < 7 else 48,
        learning_rate=0.0015 * math.cos(number / 12) ** 2,
        seconds=31.0 * number,
        loss=2.0 - 0.7 * done,
        accuracy=0.15 + 0.4 * done,
        validation_loss=1.9 - 0.9 * done,
        validation_accuracy=0.2 + 0.45 * done,
        validation_macro_f1=0.15 + 0.45 * done,
    )


def add_evaluation(run: TrainingRun, version) -> None:
    evaluation = Evaluation.objects.create(
        version=version,
        dataset=run.dataset,
        run=run,
        split="PublicTest",
        status="succeeded",
        figures=version.card["figures"]["PublicTest"],
        mistakes=[
            {"line": 0, "column": column, "row": column, "emotion": "sad"}
            | {"answer": "fear", "probability": 0.97 - column / 50}
            for column in range(8)
        ],
    )
    images, _labels = draw_faces(8)
    picture = encode_jpeg(images.transpose(1, 0, 2).reshape(48, 8 * 48))
    evaluation.picture.save(f"{evaluation.pk}.jpg", ContentFile(picture))
