"""The Django app that reads expressions."""

from importlib import import_module

from django.apps import AppConfig
from django.conf import settings


class RecognitionConfig(AppConfig):
    name = "recognition"

    def ready(self) -> None:
        # Tasks register the kinds of jobs, and need the models for it.
        for room in settings.TASK_ROOMS:
            if room.startswith(f"{self.name}."):
                import_module(f"{room}.tasks")
