"""This site's evaluations decide what can be promoted without confirmation."""

import pytest
from django.core.management import CommandError, call_command

from recognition.models import ModelEvent, ModelVersion
from recognition.registry import registry
from tests.conftest import confirm
from tests.recognition.networks import card, figures, network
from tests.recognition.versions import code_of
from training.models import Dataset, Evaluation
from training.versions import promotion

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset(db) -> Dataset:
    return Dataset.objects.create(name="faces.csv", sha256="d" * 64, size=1, uploaded=False)


@pytest.fixture
def foreign(db) -> ModelVersion:
    """An imported version, whose card is only a claim."""
    registry.register_shipped_model()
    return registry.register(network(), card(0.99), imported=True)


def evaluate(dataset: Dataset, split: str = "PublicTest", **accuracies: float) -> None:
    """Evaluations made here, of the active version and the other one."""
    for version in ModelVersion.objects.all():
        name = "active" if version.active else "other"
        Evaluation.objects.create(
            version=version,
            dataset=dataset,
            split=split,
            status="succeeded",
            figures=figures(accuracies[name]),
        )


def test_a_version_that_was_measured_to_be_worse_is_refused(dataset, foreign):
    evaluate(dataset, active=0.6, other=0.5)

    assert code_of(promotion.promote, foreign) == "worse"
    promotion.promote(foreign, confirmed=True)
    assert ModelEvent.objects.first().confirmed


def test_a_version_that_was_measured_to_be_better_needs_no_confirmation(dataset, foreign):
    evaluate(dataset, active=0.5, other=0.6)
    promotion.promote(foreign)
    foreign.refresh_from_db()

    assert foreign.active
    assert not ModelEvent.objects.first().confirmed


@pytest.mark.parametrize("split", ["Training", "validation"])
def test_faces_that_one_of_them_may_have_learned_do_not_count(dataset, foreign, split):
    evaluate(dataset, split, active=0.5, other=0.6)

    assert code_of(promotion.promote, foreign) == "not_comparable"


def test_one_evaluation_is_no_comparison(dataset, foreign):
    evaluate(dataset, active=0.5, other=0.6)
    Evaluation.objects.filter(version__active=True).delete()

    assert code_of(promotion.promote, foreign) == "not_comparable"


def test_the_page_and_the_command_go_by_what_was_measured(dataset, foreign, admin, client):
    evaluate(dataset, active=0.6, other=0.5)
    client.force_login(admin)
    confirm(client)
    address = f"/api/v1/models/{foreign.number}/promote/"
    answer = client.post(address, {"confirmed": False}, "application/json")

    assert (answer.status_code, answer.json()["code"]) == (409, "worse")
    with pytest.raises(CommandError, match=r"right on 50\.00% of the 70 faces of Public"):
        call_command("models", "promote", str(foreign.number))
    Evaluation.objects.filter(version=foreign).update(figures=figures(0.7))
    assert client.post(address, {}, "application/json").json()["active"]
