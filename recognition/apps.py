"""The Django app that analyzes photos and keeps the results."""

from django.apps import AppConfig


class RecognitionConfig(AppConfig):
    name = "recognition"
