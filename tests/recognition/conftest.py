"""Fixtures: the shipped version, and a process without a classifier."""

import pytest

from recognition.models import ModelVersion
from recognition.registry import registry


@pytest.fixture
def nothing_loaded(monkeypatch):
    """This process holds no classifier yet."""
    monkeypatch.setattr(registry, "_loaded", None)
    monkeypatch.setattr(registry, "_refused", None)
    monkeypatch.setattr(registry, "_asked_at", 0.0)


@pytest.fixture
def shipped(db) -> ModelVersion:
    return registry.register_shipped_model()
