"""Model versions for tests, and helpers."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from recognition.models import ModelVersion
from recognition.registry import registry
from tests.recognition.networks import figures, network, shipped_card


def tiny(seed: int = 0, accuracy: float = 0.9, **changes) -> ModelVersion:
    """A version with its own file, evaluated on the same faces as the shipped one."""
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
