"""The Django app that trains classifiers."""

from importlib import import_module

from django.apps import AppConfig

ROOMS = ("runs", "datasets", "versions")


class TrainingConfig(AppConfig):
    name = "training"

    def ready(self) -> None:
        # They register the kinds of jobs, and need the models for it.
        for room in ROOMS:
            import_module(f"training.{room}.tasks")
