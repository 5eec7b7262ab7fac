"""This process's classifier: loaded once, swapped on promotion, kept if the new one fails."""

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from recognition.engine.classifier import EmotionClassifier
from recognition.engine.errors import ModelError
from recognition.registry import registry, version_files
from tests.recognition.versions import damage, tiny
from tests.training.drawing import draw_faces

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_loaded")]


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
    assert "can't be loaded; version 1 (se_resnet) stays active" in caplog.text


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


def test_the_numbers_of_the_settings_are_used(shipped, settings):
    settings.PRECISION = "int8"
    faces = draw_faces(7)[0]
    exact = EmotionClassifier().predict(faces)
    answers = version_files.load_classifier(shipped).predict(faces)
    assert version_files.file_in_use(shipped) is shipped.int8
    assert 0 < np.abs(answers - exact).max() < 0.2
    assert (version_files.load_classifier(tiny()).predict(faces) >= 0).all()  # has no int8 file


def test_an_int8_file_that_was_changed_is_not_loaded(shipped, settings):
    settings.PRECISION = "int8"
    with default_storage.open(shipped.int8.name) as file:
        content = file.read()
    default_storage.delete(shipped.int8.name)
    shipped.int8.name = default_storage.save("models/other.onnx", ContentFile(content[:-1]))
    with pytest.raises(ModelError) as caught:
        version_files.load_classifier(shipped)
    assert caught.value.code == "changed_model"
