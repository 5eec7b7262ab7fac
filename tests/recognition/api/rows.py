"""Objects of every kind, for requests to every address of the API."""

from collections.abc import Callable, Mapping

from django.conf import settings as site
from django.db.models import Model

from recognition.api import keys
from recognition.history import tasks as export_tasks
from recognition.models import (
    Analysis,
    ApiKey,
    Delivery,
    Export,
    Face,
    Marker,
    MediaImport,
    Upload,
    Video,
    Webhook,
)
from recognition.photos import tasks as photo_tasks
from recognition.registry import registry
from tests.recognition.uploads import submit
from tests.recognition.videos.rows import make_upload, make_video
from tests.training.drawing import write_csv
from training.datasets import intake
from training.datasets import tasks as dataset_tasks
from training.models import Dataset, Evaluation, ModelImport, TrainingRun
from training.runs import launch
from training.versions import evaluations

Rows = Mapping[str, tuple[type[Model], Callable[[], object]]]
"""The objects of a person, by the word in their addresses: where they are, how one is made."""


def rows_of(person, photo: bytes) -> Rows:
    def analyze():
        photo_tasks.analyze(str(submit(person, photo).pk))

    def hear():
        webhook = Webhook.objects.create(owner=person, url="https://example.org/", active=False)
        Delivery.objects.create(webhook=webhook, event="analysis.succeeded", body={})

    def film():
        make_video(person)

    def begin_upload():
        make_upload(person)

    def export():
        export_tasks.export(str(Export.objects.create(owner=person, format="csv").pk))

    return {
        "analyses": (Analysis, analyze),
        "faces": (Face, analyze),
        "videos": (Video, film),
        "markers": (Marker, film),
        "uploads": (Upload, begin_upload),
        "exports": (Export, export),
        "keys": (ApiKey, lambda: keys.create(person, "k", ["read"])),
        "webhooks": (Webhook, hear),
        "deliveries": (Delivery, hear),
    }


def rows_of_training(administrator) -> Rows:
    def add_dataset() -> Dataset:
        write_csv(site.DATASETS_DIR / "faces.csv", count=210)
        dataset, _created = intake.add_path(administrator, "faces.csv")
        dataset_tasks.check_dataset(str(dataset.pk))
        return Dataset.objects.get(pk=dataset.pk)

    def start():
        launch.start(administrator, add_dataset(), "quick", {"epochs": 1})

    def evaluate():
        version = registry.active_version()
        evaluations.ask_evaluation(administrator, version, add_dataset(), "PublicTest")

    return {
        "datasets": (Dataset, add_dataset),
        "training-runs": (TrainingRun, start),
        "evaluations": (Evaluation, evaluate),
        "model-imports": (ModelImport, lambda: ModelImport.objects.create(name="theirs.npz")),
        "media-imports": (
            MediaImport,
            lambda: MediaImport.objects.create(owner=administrator, source="/photos"),
        ),
    }


JOBS = {
    "analysis": "analyses",
    "check": "datasets",
    "evaluation": "evaluations",
    "export": "exports",
    "import": "model-imports",
    "media-import": "media-imports",
    "training": "training-runs",
    "video": "videos",
}
"""The rows of each kind of job."""


def existing(rows: Rows, path: str, parameters: Mapping) -> dict[str, object]:
    """The parameters of a path, with keys of existing objects."""
    if "{analysis}" in path and "videos" in rows:
        _model, make = rows["videos"]
        if not Video.objects.exists():
            make()
        video = Video.objects.first()
        marker = Marker.objects.get_or_create(analysis_id=video.pk, start=1.0)[0]
        own = {"analysis": str(video.pk), "id": marker.pk if "markers" in path else 1}
        if "files" in path:
            own["id"] = "webvtt"
        return {**parameters, **own}
    name = path.partition("{")[0].rstrip("/").rpartition("/")[2]
    if name == "jobs":
        name = JOBS.get(parameters["kind"])
    if name == "models":
        return {**parameters, "number": registry.active_version().number}
    if name not in rows:
        return dict(parameters)
    model, make = rows[name]
    if not model.objects.exists():
        make()
    return {**parameters, "id": str(model.objects.values_list("pk", flat=True).first())}
