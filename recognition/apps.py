"""The Django app that reads expressions."""

from importlib import import_module

from django.apps import AppConfig

ROOMS = ("photos", "history", "live", "programs", "jobs")


class RecognitionConfig(AppConfig):
    name = "recognition"

    def ready(self) -> None:
        # They register the kinds of jobs, and need the models for it.
        for room in ROOMS:
            import_module(f"recognition.{room}.tasks")
