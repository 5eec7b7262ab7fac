"""Django's admin shows trainings and starts them."""

import pytest

from tests.training.conftest import started
from training.models import TrainingRun

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", ["dataset", "trainingrun", "evaluation", "modelimport"])
def test_it_lists_what_there_is(admin, client, kind):
    client.force_login(admin)

    assert client.get(f"/admin/training/{kind}/").status_code == 200


def test_the_action_starts_a_training(admin, client, dataset):
    client.force_login(admin)
    data = {"action": "train", "_selected_action": [str(dataset.pk)]}
    answer = client.post("/admin/training/dataset/", data, follow=True)

    assert TrainingRun.objects.get().preset == "balanced"
    assert b"waits for a worker" in answer.content


def test_the_action_says_why_it_cannot_start(admin, client, dataset):
    dataset.report["counts"]["Training"] = {"happy": 3}
    dataset.save()
    client.force_login(admin)
    data = {"action": "train", "_selected_action": [str(dataset.pk)]}
    answer = client.post("/admin/training/dataset/", data, follow=True)

    assert not TrainingRun.objects.exists()
    assert b"At least 50 training faces" in answer.content


def test_a_training_is_canceled_and_resumed(admin, client, dataset):
    run = started(admin, dataset)
    client.force_login(admin)
    for action, status in (("cancel", "canceled"), ("resume", "queued")):
        data = {"action": action, "_selected_action": [str(run.pk)]}
        client.post("/admin/training/trainingrun/", data)
        run.refresh_from_db()
        assert run.status == status
