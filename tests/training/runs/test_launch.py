"""A training starts only with valid options, and estimates its duration."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from recognition.jobs.lease import Status
from recognition.registry import registry
from tests.training.conftest import started
from training.core.config import TrainingConfig
from training.models import Dataset, Speed, TrainingRun
from training.runs import launch, runs
from training.runs.launch import LaunchRefused
from training.versions import evaluations
from training.versions import tasks as version_tasks

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"epochs": 0}, "epochs"),
        ({"epochs": "many"}, "epochs"),
        ({"epochs": 2.5}, "epochs"),
        ({"epochs": True}, "epochs"),
        ({"batch_size": 100_000}, "batch_size"),
        ({"learning_rate": "nan"}, "learning_rate"),
        ({"learning_rate": 1}, "learning_rate"),
        ({"augmentation": -1}, "augmentation"),
        ({"seed": 2**40}, "seed"),
        ({"architecture": "vgg"}, "architecture"),
        ({"precision": "int8"}, "precision"),
        ({"schedule": "upwards"}, "schedule"),
        ({"stages": []}, "stages"),
        ({"votes": 0.8, "smoothing": 0.3}, ""),
    ],
)
def test_choices_that_cannot_work_are_refused(changes, field):
    with pytest.raises(LaunchRefused) as refused:
        launch.read_config("balanced", changes)

    assert refused.value.field == field


def test_every_choice_of_the_core_is_offered():
    own = {field.name for field in fields(TrainingConfig)} - {"average", "repeats", "stages"}

    assert own == (set(launch.OPTIONS) | set(launch.CHOICES)) - {"augmentation", "patience"}


def test_an_unknown_preset_is_refused():
    with pytest.raises(LaunchRefused, match="quick, balanced, shipped"):
        launch.read_config("huge", {})


def test_another_network_than_that_of_the_first_weights_begins_anew():
    with pytest.raises(LaunchRefused, match="any other architecture must start from random ones"):
        launch.read_config("shipped", {"architecture": "mini_xception"})

    config, _ = launch.read_config("shipped", {"architecture": "simple_cnn", "start": "random"})
    assert config.start == "random"


def test_values_of_a_form_are_understood():
    config, patience = launch.read_config(
        "balanced", {"epochs": "3", "learning_rate": "0.01", "patience": "2", "seed": ""}
    )

    assert (config.epochs, config.learning_rate, patience) == (3, 0.01, 2)
    assert config.seed == launch.PRESETS["balanced"].seed


def test_augmentation_multiplies_what_the_preset_does():
    stages = launch.PRESETS["balanced"].stages
    half, _patience = launch.read_config("balanced", {"augmentation": 0.5})
    none, _patience = launch.read_config("balanced", {"augmentation": 0})

    assert [stage[2] for stage in half.stages] == [stage[2] / 2 for stage in stages]
    assert {stage[2] for stage in none.stages} == {0}


def test_the_quick_look_takes_less_than_a_minute_unless_epochs_are_asked_for():
    assert launch.read_config("quick", {})[0].minutes < 1
    assert launch.read_config("quick", {"epochs": 3})[0].minutes is None


def test_the_architectures_are_those_of_the_core():
    # Read, not imported, because that would load TensorFlow into the tests.
    source = Path(launch.__file__).parents[1] / "core" / "architectures.py"
    listed = source.read_text().split("ARCHITECTURES: dict")[1].split("}")[0]

    assert tuple(re.findall(r'"(\w+)":', listed)) == launch.ARCHITECTURES


def test_a_data_set_has_to_be_checked_first(admin, dataset):
    Dataset.objects.update(status=Status.QUEUED)
    dataset.refresh_from_db()

    with pytest.raises(LaunchRefused, match="checked first"):
        started(admin, dataset)
    assert not TrainingRun.objects.exists()


@pytest.mark.parametrize(
    ("options", "code"),
    [({"validation": 0.01}, "too_few_held_out"), ({"batch_size": 512}, "batch_too_large")],
)
def test_a_small_data_set_sets_limits(admin, dataset, options, code):
    with pytest.raises(LaunchRefused) as refused:
        started(admin, dataset, **options)

    assert refused.value.code == code


def test_a_single_class_cannot_be_told_apart(admin, dataset):
    dataset.report["counts"]["Training"] = {"happy": 500, "sad": 0}

    with pytest.raises(LaunchRefused, match="two classes"):
        started(admin, dataset)


def test_the_estimate_follows_from_the_speed(dataset):
    config, _patience = launch.read_config("quick", {"epochs": 4, "architecture": "simple_cnn"})
    Speed.objects.create(architecture="simple_cnn", faces_per_second=10)
    slow = launch.estimate(dataset, config)
    Speed.objects.update(faces_per_second=100)

    assert slow > launch.estimate(dataset, config) > launch.START_SECONDS


def test_before_the_first_run_the_speed_is_measured_once(dataset, monkeypatch):
    asked = []
    monkeypatch.setattr(launch.tasks, "enqueue_measurement", asked.append)
    config, _patience = launch.read_config("balanced", {})

    assert launch.estimate(dataset, config) is None
    assert launch.estimate(dataset, config) is None
    assert asked == ["se_resnet"]


def test_a_speed_that_is_known_is_not_measured_again(db, monkeypatch):
    monkeypatch.setattr(runs.trainer, "measure", None)  # which calling would break
    Speed.objects.create(architecture="se_resnet", faces_per_second=10)

    runs.measure_speed("se_resnet")
    with pytest.raises(TypeError):
        runs.measure_speed("simple_cnn")


def test_a_run_is_tried_again_as_a_new_one(admin, dataset):
    run = started(admin, dataset, seed=11)
    again = launch.retry(admin, run)

    assert again.pk != run.pk
    assert (again.config, again.status) == (run.config, Status.QUEUED)


def test_only_what_has_ended_badly_is_resumed(admin, dataset):
    run = started(admin, dataset)

    assert not runs.resume(run)
    runs.cancel(run)
    assert runs.resume(run)
    assert (run.status, run.attempts) == (Status.QUEUED, 0)


def test_a_run_is_deleted_only_after_its_end(admin, dataset):
    run = started(admin, dataset)
    with pytest.raises(LaunchRefused):
        launch.remove(run)
    runs.cancel(run)
    launch.remove(run)

    assert not TrainingRun.objects.exists()


def test_any_version_is_evaluated_on_any_split(admin, dataset):
    version = registry.register_shipped_model()
    evaluation = evaluations.ask_evaluation(admin, version, dataset, "PublicTest")
    version_tasks.evaluate(str(evaluation.pk))
    evaluation.refresh_from_db()

    assert evaluation.status == Status.SUCCEEDED
    assert evaluation.figures["faces"] == 52
    assert evaluation.mistakes[0]["answer"] != evaluation.mistakes[0]["emotion"]
    assert evaluation.picture.read(2) == b"\xff\xd8"
    assert evaluations.ask_evaluation(admin, version, dataset, "PublicTest") == evaluation


def test_a_split_that_is_not_there_is_refused(admin, dataset):
    version = registry.register_shipped_model()
    with pytest.raises(LaunchRefused, match="no split"):
        evaluations.ask_evaluation(admin, version, dataset, "PrivateTest")


def test_the_validation_part_of_foreign_data_is_unknown(admin, dataset):
    version = registry.register_shipped_model()
    evaluation = evaluations.ask_evaluation(admin, version, dataset, "validation")
    version_tasks.evaluate(str(evaluation.pk))
    evaluation.refresh_from_db()

    assert (evaluation.status, evaluation.error_code) == ("failed", "cannot_evaluate")


def test_without_redis_a_run_still_gets_into_the_queue(admin, dataset, redis_server):
    redis_server.stop()
    try:
        run = started(admin, dataset)
    finally:
        redis_server.start()

    assert (run.status, run.estimated_seconds) == (Status.QUEUED, None)
