"""Jobs of every kind: those of trainings have their fixtures beside the tests of trainings."""

from tests.training.conftest import admin, dataset, training_folders, training_worker

__all__ = ["admin", "dataset", "training_folders", "training_worker"]
