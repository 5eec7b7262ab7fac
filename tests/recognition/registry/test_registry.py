"""Model versions are registered once, whether shipped, trained or imported."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.files.storage import default_storage
from django.db import connection

from recognition.engine.errors import ModelError
from recognition.models import ModelEvent, ModelVersion
from recognition.registry import registry
from tests.recognition.networks import card, network, shipped_card
from tests.recognition.versions import active_numbers, code_of, scored, tiny

Action = ModelEvent.Action

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_loaded")]


def test_a_fresh_site_uses_the_shipped_model_as_version_1():
    version, _classifier = registry.active_classifier()

    assert (version.number, version.shipped, version.active) == (1, True, True)
    assert version.card["figures"]


def test_a_version_keeps_its_files_card_and_maker(user):
    made = card(0.6)
    version = registry.register(
        network(), made, weights=b"weights", created_by=user, note="A quick look."
    )
    version.refresh_from_db()

    assert version.card == made
    assert (version.number, version.architecture, version.active) == (1, "tiny", False)
    assert (version.created_by, version.note) == (user, "A quick look.")
    assert version.sha256 == hashlib.sha256(network()).hexdigest()
    assert version.weights_sha256 == hashlib.sha256(b"weights").hexdigest()
    assert version.weights.read() == b"weights"
    assert len(version.data_hash) == 64


def test_the_same_file_is_registered_once(shipped):
    first = tiny()

    assert tiny() == first
    assert registry.register_shipped_model() == shipped
    assert ModelVersion.objects.count() == 2
    assert ModelEvent.objects.filter(version=first).count() == 1


def test_a_file_that_breaks_the_contract_is_not_registered():
    with pytest.raises(ModelError):
        registry.register(b"no network at all", card(0.6))
    assert not ModelVersion.objects.exists()


def test_an_upgrade_replaces_an_older_shipped_model_once(shipped, monkeypatch, tmp_path):
    newer = tmp_path / "expression.onnx"
    newer.write_bytes(network())
    newer.with_suffix(".json").write_text(json.dumps(card(0.9)))
    newer.with_suffix(".keras").write_bytes(b"keras")
    monkeypatch.setattr(registry, "SHIPPED_MODEL", newer)

    version = registry.register_shipped_model()
    assert (version.active, version.keras.read()) == (True, b"keras")
    registry.roll_back()
    registry.register_shipped_model()  # at the next start
    assert active_numbers() == [shipped.number]


def test_an_upgrade_leaves_a_promoted_model_in_use(shipped, monkeypatch, tmp_path):
    registry.promote(tiny())
    newer = tmp_path / "expression.onnx"
    newer.write_bytes(network(seed=1))
    newer.with_suffix(".json").write_text(json.dumps(card(0.9)))
    newer.with_suffix(".keras").write_bytes(b"keras")
    monkeypatch.setattr(registry, "SHIPPED_MODEL", newer)
    registry.register_shipped_model()

    assert active_numbers() == [2]


@pytest.mark.django_db(transaction=True)
def test_registering_at_once_gives_each_file_one_number():
    def register(seed: int) -> int:
        try:
            return registry.register(network(seed % 3), card(0.5)).number
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        numbers = list(pool.map(register, range(6)))

    assert numbers[:3] == numbers[3:]
    assert sorted(numbers[:3]) == [1, 2, 3]
    names = set(ModelVersion.objects.values_list("onnx", flat=True))
    for seed in range(3):  # nothing remains of the late copies
        stem = hashlib.sha256(network(seed)).hexdigest()
        stored = [name for name in default_storage.listdir("models")[1] if name.startswith(stem)]
        assert len([name for name in stored if f"models/{name}" in names]) == 1


def test_an_imported_network_is_a_version_with_its_trial(shipped, user):
    claims = json.dumps(shipped_card(architecture="theirs")).encode()
    version = registry.import_onnx(network(), claims, user=user, note="From a colleague.")

    assert (version.imported, version.architecture, version.active) == (True, "theirs", False)
    assert version.card["trial"]["milliseconds"] > 0
    event = ModelEvent.objects.first()
    assert (event.action, event.user, event.reason) == (Action.IMPORTED, user, "From a colleague.")


def test_what_an_imported_card_claims_does_not_pass_the_guard(shipped):
    claims = json.dumps(shipped_card(**scored(0.99))).encode()
    version = registry.import_onnx(network(), claims)

    assert code_of(registry.promote, version) == "not_comparable"


def test_a_refused_import_leaves_nothing_behind(shipped, settings):
    settings.MAX_MODEL_BYTES = 1000
    with pytest.raises(ModelError, match="are accepted"):
        registry.import_onnx(network())
    assert ModelVersion.objects.count() == 1
