"""Model versions: the shipped one, the active one, and the swap to another."""

import pytest

from recognition import registry
from recognition.engine.errors import ModelError
from recognition.models import ModelVersion

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_loaded(monkeypatch):
    monkeypatch.setattr(registry, "_loaded", None)


def second_version() -> ModelVersion:
    """The shipped file once more under another number, as a training would register its own."""
    first = registry.register_shipped_model()
    first.pk, first.number, first.active, first.sha256 = None, 2, False, first.sha256[::-1]
    first.save(force_insert=True)
    return first


def test_a_fresh_site_uses_the_shipped_model_as_version_1():
    version, _classifier = registry.active_classifier()

    assert (version.number, version.shipped, version.active) == (1, True, True)
    assert version.card["figures"]


def test_registering_again_changes_nothing():
    first = registry.register_shipped_model()

    assert registry.register_shipped_model() == first
    assert ModelVersion.objects.count() == 1


def test_the_classifier_is_loaded_once():
    assert registry.active_classifier()[1] is registry.active_classifier()[1]


def test_at_most_one_version_is_active():
    second = second_version()
    registry.activate(second)

    assert [version.number for version in ModelVersion.objects.filter(active=True)] == [2]


def test_an_activated_version_is_used_from_the_next_job_on(monkeypatch):
    old = registry.active_classifier()[1]
    second = second_version()
    registry.activate(second)
    new = object()
    monkeypatch.setattr(registry, "load_classifier", lambda version: new)

    assert registry.active_classifier() == (second, new)
    assert old is not new


def test_a_changed_file_is_refused():
    second = second_version()
    registry.activate(second)

    with pytest.raises(ModelError, match="not the one registered"):
        registry.active_classifier()
