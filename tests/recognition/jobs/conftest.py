"""Jobs of every kind; uses the fixtures of the training tests."""

from tests.training.conftest import admin, dataset, training_folders, training_worker

__all__ = ["admin", "dataset", "training_folders", "training_worker"]
