"""Promoting, rolling back and archiving versions; the audit trail."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import get_user_model
from django.core.files.storage import default_storage
from django.db import connection

from recognition.models import ModelEvent, ModelVersion
from recognition.registry import registry
from tests.recognition.networks import card, network, shipped_card
from tests.recognition.versions import active_numbers, code_of, damage, tiny

Action = ModelEvent.Action

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_loaded")]


def test_a_better_version_is_promoted_and_the_trail_says_so(shipped, user):
    better = tiny(accuracy=0.9)
    registry.promote(better, user, reason="Two points more.")

    assert active_numbers() == [better.number]
    event = ModelEvent.objects.first()
    assert (event.action, event.version, event.previous) == (Action.PROMOTED, better, shipped)
    assert (event.user, event.reason, event.confirmed) == (user, "Two points more.", False)


def test_a_worse_version_is_refused_unless_confirmed(shipped):
    worse = tiny(accuracy=0.2)

    assert code_of(registry.promote, worse) == "worse"
    assert active_numbers() == [shipped.number]
    registry.promote(worse, confirmed=True)
    assert active_numbers() == [worse.number]
    assert ModelEvent.objects.first().confirmed


@pytest.mark.parametrize(
    ("accuracy", "recall", "refused"),
    [
        pytest.param(-0.002, 0.02, False, id="a little accuracy for much mean recall"),
        pytest.param(0.02, -0.002, False, id="the other way round"),
        pytest.param(-0.01, 0.02, True, id="too much accuracy"),
        pytest.param(0.02, -0.01, True, id="too much mean recall"),
        pytest.param(-0.002, 0.0, True, id="accuracy for nothing"),
        pytest.param(0.0, 0.0, False, id="equal"),
    ],
)
def test_accuracy_and_mean_recall_are_weighed_against_each_other(
    shipped, accuracy, recall, refused
):
    held = shipped_card()["figures"]["PublicTest"]
    per_class = {
        name: {**one, "recall": one["recall"] + recall} for name, one in held["per_class"].items()
    }
    figures = {**held, "accuracy": held["accuracy"] + accuracy, "per_class": per_class}
    other = registry.register(network(), shipped_card(figures={"PublicTest": figures}))

    objection = registry.find_objection(other, shipped)
    assert (objection is not None) == refused
    if objection:
        assert objection.code == "worse"
        assert "mean recall" in objection.message


def test_a_version_scored_on_other_faces_is_refused_unless_confirmed(shipped):
    other = registry.register(network(), card(0.99))

    assert code_of(registry.promote, other) == "not_comparable"
    registry.promote(other, confirmed=True)
    assert active_numbers() == [other.number]


def test_a_damaged_version_is_refused_even_if_confirmed(shipped):
    broken = tiny()
    damage(broken)

    assert code_of(registry.promote, broken, confirmed=True) == "changed_model"
    default_storage.delete(broken.onnx.name)
    assert code_of(registry.promote, broken, confirmed=True) == "missing_file"
    assert active_numbers() == [shipped.number]


def test_the_version_in_use_cannot_be_promoted_again(shipped):
    assert code_of(registry.promote, shipped) == "already_active"


def test_rolling_back_goes_back_step_by_step(shipped, user):
    second, third = tiny(1, 0.8), tiny(2, 0.9)
    registry.promote(second)
    registry.promote(third)

    assert registry.roll_back(user) == second
    assert registry.roll_back(user) == shipped
    assert code_of(registry.roll_back) == "nothing_before"
    assert active_numbers() == [shipped.number]
    event = ModelEvent.objects.first()
    assert (event.action, event.previous, event.user) == (Action.ROLLED_BACK, second, user)


def test_rolling_back_does_not_toggle_after_a_new_promotion(shipped):
    second, third = tiny(1, 0.8), tiny(2, 0.9)
    registry.promote(second)
    registry.roll_back()
    registry.promote(third)

    assert registry.roll_back() == shipped


def test_rolling_back_works_on_a_site_older_than_the_audit_trail(shipped):
    ModelEvent.objects.all().delete()
    registry.promote(tiny())

    assert registry.roll_back() == shipped


def test_the_version_in_use_cannot_be_archived(shipped):
    assert code_of(registry.archive, shipped) == "active"
    assert not ModelVersion.objects.get().archived


def test_an_archived_version_comes_back_by_promotion(shipped, user):
    version = tiny()
    registry.archive(version, user)
    registry.archive(version, user)  # a second click
    version.refresh_from_db()

    assert version.archived
    assert ModelEvent.objects.filter(action=Action.ARCHIVED).count() == 1
    registry.promote(version)
    version.refresh_from_db()
    assert (version.active, version.archived) == (True, False)


def test_a_promotion_decided_on_an_older_state_is_refused(shipped, monkeypatch):
    second, third = tiny(1), tiny(2)
    with monkeypatch.context() as patch:
        patch.setattr(registry, "active_version", lambda: shipped)
        registry.promote(second)
        assert code_of(registry.promote, third) == "overtaken"

    assert active_numbers() == [second.number]


@pytest.mark.django_db(transaction=True)
def test_promotions_at_once_end_with_one_active_version_and_a_trail_without_gaps():
    registry.register_shipped_model()
    versions = [tiny(seed) for seed in range(6)]

    def promote(version: ModelVersion) -> str:
        try:
            registry.promote(version)
        except registry.PromotionRefused as refusal:
            return refusal.code
        finally:
            connection.close()
        return "promoted"

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(promote, versions))

    assert set(outcomes) <= {"promoted", "overtaken"}
    trail = list(ModelEvent.objects.filter(action=Action.PROMOTED).order_by("pk"))
    assert len(trail) == 1 + outcomes.count("promoted")
    for before, after in itertools.pairwise(trail):
        assert after.previous == before.version
    assert active_numbers() == [trail[-1].version.number]


def test_what_a_deleted_account_did_stays_in_the_trail(shipped, user):
    registry.promote(tiny(), user)
    get_user_model().objects.filter(pk=user.pk).delete()

    assert ModelEvent.objects.first().user is None
