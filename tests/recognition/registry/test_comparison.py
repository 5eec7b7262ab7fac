"""Versions described and compared."""

import pytest
import skimage.data

from recognition.engine.detector import MtcnnDetector
from recognition.models import ModelEvent
from recognition.registry import comparison, registry
from tests.recognition.networks import card, network

pytestmark = pytest.mark.django_db


def test_a_version_is_described_with_its_state_and_accuracy(user):
    version = registry.register(network(), card(0.6), created_by=user, note="A try.")
    state = comparison.describe_version(version)

    assert (state["number"], state["state"], state["origin"]) == (1, "available", "trained")
    assert state["accuracy"] == {"PublicTest": 0.6}
    assert (state["created_by"], state["note"]) == (user.email, "A try.")


def test_an_event_is_described_with_both_versions(user):
    registry.register_shipped_model()
    registry.promote(registry.register(network(), card(0.6)), user, confirmed=True)
    event = comparison.describe_event(ModelEvent.objects.first())

    assert (event["action"], event["version"], event["previous"]) == ("promoted", 2, 1)
    assert (event["user"], event["confirmed"]) == (user.email, True)


def test_versions_stand_side_by_side():
    versions = [registry.register(network(seed), card(0.5 + seed / 10)) for seed in range(3)]

    assert comparison.compare(versions)["accuracy"] == [0.5, 0.6, 0.7]


def test_a_photo_is_read_by_each_version():
    versions = [registry.register_shipped_model(), registry.register(network(), card(0.6))]
    photo = skimage.data.astronaut()
    (face,) = comparison.compare_on_photo(versions, photo, MtcnnDetector(min_face=48))

    assert 150 < face["box"]["x"] < 220
    first, second = face["probabilities"]
    assert sum(first.values()) == pytest.approx(1, abs=1e-4)
    assert first != second
