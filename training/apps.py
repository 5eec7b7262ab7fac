"""The Django app that trains classifiers."""

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "training"
