"""Mien's main Django app."""

from importlib import import_module

from django.apps import AppConfig
from django.conf import settings


class RecognitionConfig(AppConfig):
    name = "recognition"

    def ready(self) -> None:
        # Tasks register the kinds of jobs, which needs the models.
        for room in settings.TASK_ROOMS:
            if room.startswith(f"{self.name}."):
                import_module(f"{room}.tasks")
