"""Trainings in Django's admin, and the actions on them."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from recognition.admin import ReadOnlyAdmin
from recognition.api.people import person_of
from training.models import Dataset, Evaluation, ModelImport, TrainingRun
from training.runs import launch, runs


@admin.register(Dataset)
class DatasetAdmin(ReadOnlyAdmin):
    list_display = ["name", "status", "size", "uploaded", "created_by", "created_at"]
    list_filter = ["status"]
    fields = [
        *["id", "name", "status", "path", "votes_path", "size", "sha256", "report"],
        *["error_code", "error_message", "created_by", "created_at", "finished_at"],
    ]
    actions = ["train"]

    @admin.action(description="Train on the selected data sets (preset “balanced”)")
    def train(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for dataset in queryset:
            try:
                run = launch.start(person_of(request), dataset, "balanced", {})
            except launch.LaunchRefused as error:
                self.message_user(request, f"{dataset}: {error.message}", messages.ERROR)
            else:
                self.message_user(request, f"The training of {run} waits for a worker.")


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "preset", "status", "phase", "created_by", "created_at"]
    list_filter = ["status", "preset"]
    date_hierarchy = "created_at"
    fields = [
        *["id", "dataset", "preset", "config", "patience", "note", "status", "phase", "attempts"],
        *["estimated_seconds", "progress", "log", "model_version", "error_code", "error_message"],
        *["created_by", "created_at", "started_at", "finished_at"],
    ]
    actions = ["cancel", "resume", "retry"]

    @admin.action(description="Cancel the selected trainings")
    def cancel(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = sum(runs.cancel(run) for run in queryset)
        self.message_user(request, f"{count} canceled.")

    @admin.action(description="Resume the selected trainings")
    def resume(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = sum(runs.resume(run) for run in queryset)
        self.message_user(request, f"{count} wait for a worker.")

    @admin.action(description="Train again with the same options")
    def retry(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for run in queryset:
            try:
                launch.retry(person_of(request), run)
            except launch.LaunchRefused as error:
                self.message_user(request, f"{run}: {error.message}", messages.ERROR)


@admin.register(ModelImport)
class ModelImportAdmin(ReadOnlyAdmin):
    list_display = ["name", "architecture", "status", "step", "created_by", "created_at"]
    list_filter = ["status"]
    fields = [
        *["id", "name", "architecture", "card", "note", "dataset", "status", "step", "attempts"],
        *["model_version", "error_code", "error_message"],
        *["created_by", "created_at", "started_at", "finished_at"],
    ]


@admin.register(Evaluation)
class EvaluationAdmin(ReadOnlyAdmin):
    list_display = ["version", "dataset", "split", "status", "created_at"]
    list_filter = ["status", "split"]
    fields = [
        *["id", "version", "dataset", "split", "run", "status", "figures", "mistakes"],
        *["error_code", "error_message", "created_by", "created_at", "finished_at"],
    ]
