"""The training API."""

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from recognition.api import keys
from recognition.registry import registry
from tests.recognition.networks import network
from tests.training.conftest import started
from tests.training.drawing import write_csv
from tests.training.weights import npz, pickled
from training.models import Dataset, Speed, TrainingRun
from training.runs import runs

pytestmark = pytest.mark.django_db

API = "/api/v1"


@pytest.fixture
def api(admin, client):
    client.force_login(admin)
    return client


def test_an_upload_that_is_larger_than_a_photo_is_accepted(api, settings, tmp_path):
    settings.MAX_UPLOAD_BYTES = 1000
    content = write_csv(tmp_path / "faces.csv").read_bytes()
    upload = {"data": SimpleUploadedFile("faces.csv", content), "name": "Drawn faces"}
    first = api.post(f"{API}/datasets/", upload)
    upload["data"] = SimpleUploadedFile("again.csv", content)
    second = api.post(f"{API}/datasets/", upload)

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert (first.json()["name"], first.json()["file"]) == ("Drawn faces", "faces.csv")


def test_a_key_may_upload_what_a_session_may(admin, client, settings, tmp_path):
    settings.MAX_UPLOAD_BYTES = 1000
    upload = {"data": SimpleUploadedFile("f.csv", write_csv(tmp_path / "f.csv").read_bytes())}
    text = keys.create(admin, "key", ["train"])[1]
    answer = client.post(f"{API}/datasets/", upload, headers={"authorization": f"Bearer {text}"})

    assert answer.status_code == 201


def test_the_field_of_an_upload_may_be_named_file(api, tmp_path):
    upload = {"file": SimpleUploadedFile("f.csv", write_csv(tmp_path / "f.csv").read_bytes())}
    answer = api.post(f"{API}/datasets/", upload)

    assert (answer.status_code, answer.json()["file"]) == (201, "f.csv")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [("{}", "application/json"), ('{"path": ""}', "application/json"), ("", "multipart/form-data")],
)
def test_a_missing_data_set_is_named(api, body, content_type):
    answer = api.post(f"{API}/datasets/", body, content_type)
    (error,) = answer.json()["errors"]

    assert (answer.status_code, error["code"], error["field"]) == (400, "missing_data", "data")
    assert '"file"' in error["message"]


def test_an_upload_beyond_the_limit_is_refused(api, settings):
    settings.MAX_DATASET_BYTES = 1000
    upload = {"data": SimpleUploadedFile("faces.csv", bytes(2000))}
    answer = api.post(f"{API}/datasets/", upload)

    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")
    assert not Dataset.objects.exists()


def test_a_file_of_the_server_is_named(api, settings):
    write_csv(settings.DATASETS_DIR / "faces.csv")
    assert api.get(f"{API}/datasets/files/").json() == {"files": ["faces.csv"]}
    answer = api.post(f"{API}/datasets/", {"path": "faces.csv"}, "application/json")

    assert answer.status_code == 201
    assert api.delete(f"{API}/datasets/{answer.json()['id']}/").status_code == 204


@pytest.mark.parametrize("kind", ["datasets", "training-runs", "evaluations"])
def test_a_body_that_is_no_object_is_a_malformed_request(api, kind):
    answer = api.post(f"{API}/{kind}/", "[1]", "application/json")

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")


def test_a_path_outside_is_refused(api):
    answer = api.post(f"{API}/datasets/", {"path": "/etc/passwd"}, "application/json")

    assert (answer.status_code, answer.json()["code"]) == (400, "not_in_folder")


def test_a_run_is_started_and_shown(api, dataset):
    Speed.objects.create(architecture="mini_xception", faces_per_second=100)
    choices = {"dataset": str(dataset.pk), "preset": "quick", "epochs": 3, "validation": 0.1}
    choices |= {"batch_size": 16, "architecture": "mini_xception"}
    seconds = api.post(f"{API}/training-runs/estimate/", choices, "application/json").json()[
        "seconds"
    ]
    answer = api.post(f"{API}/training-runs/", {**choices, "note": "first"}, "application/json")
    run = answer.json()

    assert (answer.status_code, run["status"], run["place"]) == (201, "queued", 1)
    assert (run["note"], run["config"]["epochs"]) == ("first", 3)
    assert run["estimated_seconds"] == seconds
    assert api.get(f"{API}/training-runs/{run['id']}/").json() == run
    assert api.get(f"{API}/training-runs/").json()["results"][0]["id"] == run["id"]


@pytest.mark.parametrize(
    ("choices", "field"),
    [({"epochs": 0}, "epochs"), ({"dataset": "none"}, "dataset"), ({"preset": "x"}, "preset")],
)
def test_what_is_wrong_is_said_with_the_field(api, dataset, choices, field):
    answer = api.post(
        f"{API}/training-runs/", {"dataset": str(dataset.pk), **choices}, "application/json"
    )

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field
    assert not TrainingRun.objects.exists()


def test_what_can_be_chosen_is_listed(api):
    choices = api.get(f"{API}/training-runs/presets/").json()

    assert list(choices["presets"]) == ["quick", "balanced", "shipped"]
    assert choices["options"]["epochs"] == {
        "title": "Epochs",
        "whole": True,
        "lowest": 1,
        "highest": 500,
    }


def test_a_run_is_canceled_resumed_and_tried_again(api, admin, dataset):
    address = f"{API}/training-runs/{started(admin, dataset).pk}"

    assert api.post(f"{address}/resume/").status_code == 409
    assert api.post(f"{address}/cancel/").json()["status"] == "canceled"
    assert api.post(f"{address}/cancel/").status_code == 409
    assert api.post(f"{address}/resume/").json()["status"] == "queued"
    assert api.post(f"{address}/retry/").json()["place"] == 2


@pytest.mark.django_db(transaction=True)
def test_a_finished_run_shows_its_curve_and_its_evaluations(api, admin, dataset, stand_in):
    run = started(admin, dataset)
    runs.run_next()
    state = api.get(f"{API}/training-runs/{run.pk}/").json()

    assert [epoch["number"] for epoch in state["epochs"]] == [1, 2, 3, 4, 5]
    assert (state["best_accuracy"], state["model_version"]) == (0.05, 1)
    assert state["evaluations"][0]["figures"]["accuracy"] > 0
    assert state["log"].startswith("going on after epoch 0")


def test_an_evaluation_is_asked_for(api, dataset):
    number = registry.register_shipped_model().number
    asked = {"version": number, "dataset": str(dataset.pk), "split": "PublicTest"}
    answer = api.post(f"{API}/evaluations/", asked, "application/json")

    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    picture = f"{API}/evaluations/{answer.json()['id']}/picture/"
    assert api.get(picture).status_code == 404


def test_weights_are_imported_in_the_background(api, dataset):
    upload = {"file": SimpleUploadedFile("theirs.npz", npz(np.ones(3)))}
    upload |= {"architecture": "se_resnet", "dataset": str(dataset.pk), "note": "from elsewhere"}
    answer = api.post(f"{API}/model-imports/", upload)
    state = answer.json()

    assert answer.status_code == 202
    assert (state["status"], state["step"], state["model_version"]) == ("queued", "waiting", None)
    assert (state["name"], state["architecture"]) == ("theirs.npz", "se_resnet")
    assert api.get(f"{API}/model-imports/{state['id']}/").json() == state
    assert api.delete(f"{API}/model-imports/{state['id']}/").status_code == 204
    assert api.get(f"{API}/model-imports/").json()["results"] == []


def test_an_onnx_file_is_imported_at_once(api):
    registry.register_shipped_model()
    answer = api.post(f"{API}/model-imports/", {"file": SimpleUploadedFile("a.onnx", network(4))})

    assert answer.status_code == 201
    assert (answer.json()["status"], answer.json()["model_version"]) == ("succeeded", 2)


@pytest.mark.parametrize(
    ("content", "options", "status", "code"),
    [
        (pickled(), {}, 400, "invalid_file"),
        (npz(np.ones(3)), {"architecture": "vgg"}, 400, "unknown_architecture"),
        (npz(np.ones(3)), {"dataset": "none"}, 400, "unknown_dataset"),
        (bytes(2**21), {}, 413, "too_large"),
        (None, {}, 400, "no_file"),
    ],
)
def test_an_import_that_is_refused_says_why(api, settings, content, options, status, code):
    settings.MAX_MODEL_BYTES = 2**20
    form = {"architecture": "se_resnet", **options}
    if content is not None:
        form["file"] = SimpleUploadedFile("theirs.npz", content)
    answer = api.post(f"{API}/model-imports/", form)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert api.get(f"{API}/model-imports/").json()["results"] == []
