"""Model versions: registered once, promoted with care, taken back, swapped under way."""

import hashlib
import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection

from recognition import registry
from recognition.engine.errors import ModelError
from recognition.models import ModelEvent, ModelVersion
from tests.recognition.networks import card, figures, network, shipped_card

pytestmark = pytest.mark.django_db

Action = ModelEvent.Action


@pytest.fixture(autouse=True)
def nothing_loaded(monkeypatch):
    monkeypatch.setattr(registry, "_loaded", None)
    monkeypatch.setattr(registry, "_refused", None)
    monkeypatch.setattr(registry, "_asked_at", 0.0)


@pytest.fixture
def shipped() -> ModelVersion:
    return registry.register_shipped_model()


def tiny(seed: int = 0, accuracy: float = 0.9, **changes) -> ModelVersion:
    """A version with a file of its own, scored on the faces that the shipped one was scored on."""
    return registry.register(network(seed), shipped_card(**scored(accuracy), **changes))


def scored(accuracy: float) -> dict:
    support = [
        one["support"] for one in shipped_card()["figures"]["PublicTest"]["per_class"].values()
    ]
    made = figures(accuracy)
    made["per_class"] = {
        emotion: {**one, "support": count}
        for (emotion, one), count in zip(made["per_class"].items(), support, strict=True)
    }
    return {"figures": {"PublicTest": made}}


def damage(version: ModelVersion) -> None:
    default_storage.delete(version.onnx.name)
    default_storage.save(version.onnx.name, ContentFile(b"something else"))


def active_numbers() -> list[int]:
    return list(ModelVersion.objects.filter(active=True).values_list("number", flat=True))


def code_of(function, *arguments, **options) -> str:
    with pytest.raises(registry.PromotionRefused) as caught:
        function(*arguments, **options)
    assert caught.value.message.endswith(".")
    return caught.value.code


# --- Registering -------------------------------------------------------------------------------


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
    monkeypatch.setattr(registry, "SHIPPED_MODEL", newer)

    assert registry.register_shipped_model().active
    registry.roll_back()
    registry.register_shipped_model()  # at the next start
    assert active_numbers() == [shipped.number]


def test_an_upgrade_leaves_a_promoted_model_in_use(shipped, monkeypatch, tmp_path):
    registry.promote(tiny())
    newer = tmp_path / "expression.onnx"
    newer.write_bytes(network(seed=1))
    newer.with_suffix(".json").write_text(json.dumps(card(0.9)))
    monkeypatch.setattr(registry, "SHIPPED_MODEL", newer)
    registry.register_shipped_model()

    assert active_numbers() == [2]


# --- Promotion ---------------------------------------------------------------------------------


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
    for seed in range(3):  # of the copies that came too late nothing stays
        stem = hashlib.sha256(network(seed)).hexdigest()
        stored = [name for name in default_storage.listdir("models")[1] if name.startswith(stem)]
        assert len([name for name in stored if f"models/{name}" in names]) == 1


def test_what_a_deleted_account_did_stays_in_the_trail(shipped, user):
    registry.promote(tiny(), user)
    get_user_model().objects.filter(pk=user.pk).delete()

    assert ModelEvent.objects.first().user is None


# --- Import ------------------------------------------------------------------------------------


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


# --- This process's classifier -------------------------------------------------------------------


def test_the_classifier_is_loaded_once():
    assert registry.active_classifier()[1] is registry.active_classifier()[1]


def test_a_promoted_version_is_used_from_the_next_job_on(shipped):
    old = registry.active_classifier()[1]
    second = tiny()
    registry.promote(second)
    version, new = registry.active_classifier()

    assert version == second
    assert new is not old


def test_a_storage_without_paths_will_do(shipped, monkeypatch):
    def no_path(self, name):
        raise NotImplementedError("This backend doesn't support absolute paths.")

    with default_storage.open(shipped.onnx.name) as file:
        content = file.read()
    monkeypatch.setattr(type(default_storage._wrapped), "path", no_path)
    monkeypatch.setattr(
        type(default_storage._wrapped), "open", lambda self, name, mode="rb": ContentFile(content)
    )
    assert registry.active_classifier()[0] == shipped


def test_a_version_that_cannot_be_loaded_leaves_the_old_one_in_use(shipped, caplog):
    old = registry.active_classifier()
    broken = tiny()
    registry.promote(broken)
    damage(broken)

    assert registry.active_classifier() == old
    assert "cannot be loaded; version 1 (se_resnet) stays in use" in caplog.text


def test_a_version_that_cannot_be_loaded_is_tried_again_later(shipped, monkeypatch):
    registry.active_classifier()
    second = tiny()
    registry.promote(second)
    tries = []

    def unreachable(version):
        tries.append(version)
        raise OSError("The storage does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(registry, "load_classifier", unreachable)
        for _job in range(5):
            assert registry.active_classifier()[0] == shipped
    assert len(tries) == 1
    monkeypatch.setattr(registry, "RETRY_SECONDS", 0)
    monkeypatch.setattr(registry, "_refused", (second.pk, 0.0))
    assert registry.active_classifier()[0] == second


def test_a_new_process_begins_with_the_last_version_that_can_be_loaded(shipped):
    second, third = tiny(1, 0.8), tiny(2, 0.9)
    registry.promote(second)
    registry.promote(third)
    damage(second)
    damage(third)

    assert registry.active_classifier()[0] == shipped


def test_without_any_version_that_can_be_loaded_the_job_says_so(shipped):
    damage(shipped)

    with pytest.raises(ModelError) as caught:
        registry.active_classifier()
    assert caught.value.code == "no_model"


def test_frames_ask_once_a_second_and_see_a_promotion_within_two(
    shipped, monkeypatch, django_assert_num_queries
):
    clock = 1000.0
    monkeypatch.setattr(registry.time, "monotonic", lambda: clock)
    registry.recent_classifier()
    second = tiny()
    registry.promote(second)
    with django_assert_num_queries(0):
        clock += 0.9
        assert registry.recent_classifier()[0] == shipped
    clock += 0.2
    assert registry.recent_classifier()[0] == second
