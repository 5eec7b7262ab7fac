"""/api/v1/training-runs/: training runs, for administrators."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from recognition.api.people import person_of
from recognition.api.states import StateSerializer
from training.api import TrainingViewSet, find_dataset
from training.models import TrainingRun
from training.runs import events, launch, runs

FIELDS: dict[type, Any] = {int: serializers.IntegerField, float: serializers.FloatField}
NUMBERS: dict[str, serializers.Field] = {
    name: FIELDS[option.kind](
        min_value=option.lowest, max_value=option.highest, required=False, help_text=option.title
    )
    for name, option in launch.OPTIONS.items()
}


WORDS = {
    name: serializers.ChoiceField(choices=known, required=False)
    for name, known in launch.CHOICES.items()
}


class ChosenSerializer(serializers.Serializer):
    """The request for a training."""

    dataset = serializers.UUIDField()
    preset = serializers.ChoiceField(choices=list(launch.PRESETS), default="balanced")
    note = serializers.CharField(max_length=200, allow_blank=True, required=False)


NewRunSerializer = type("NewRunSerializer", (ChosenSerializer,), {**NUMBERS, **WORDS})


class EstimateSerializer(serializers.Serializer):
    """Estimated seconds for a run; null while the speed is being measured."""

    seconds = serializers.FloatField(allow_null=True)


class OptionSerializer(serializers.Serializer):
    """An option with its range."""

    title = serializers.CharField()
    whole = serializers.BooleanField()
    lowest = serializers.FloatField()
    highest = serializers.FloatField()


class PresetsSerializer(serializers.Serializer):
    """Presets with their values, options with their ranges."""

    presets = serializers.DictField(child=serializers.DictField())
    choices = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    options = serializers.DictField(child=OptionSerializer())


class RunSerializer(StateSerializer):
    state = events.RunState

    def to_representation(self, instance: TrainingRun) -> events.RunState:
        return events.describe_run(instance)


class RunDetailSerializer(StateSerializer):
    state = events.RunDetail

    def to_representation(self, instance: TrainingRun) -> events.RunDetail:
        return events.describe_run_detail(instance)


class RunViewSet(TrainingViewSet):
    """Trainings. Administrators only."""

    queryset = TrainingRun.objects.select_related(
        "dataset", "created_by", "model_version"
    ).prefetch_related("epochs")

    def get_serializer_class(self) -> type[Any]:
        return RunSerializer if self.action == "list" else RunDetailSerializer

    @extend_schema(request=NewRunSerializer, responses={201: RunDetailSerializer})
    def create(self, request: Request) -> Response:
        """Queue a training: a data set, a preset, and changes to the preset."""
        run = launch.start(
            person_of(request),
            find_dataset(self.fields),
            self.text("preset", "balanced"),
            _options(self.fields),
            self.text("note"),
        )
        return Response(self.get_serializer(run).data, status=201)

    def destroy(self, request: Request, pk: str) -> Response:
        launch.remove(self.get_object())
        return Response(status=204)

    @extend_schema(request=NewRunSerializer, responses=EstimateSerializer)
    @action(detail=False, methods=["post"])
    def estimate(self, request: Request) -> Response:
        """Estimated seconds for such a run; null while the speed is being measured."""
        preset = self.text("preset", "balanced")
        config, _patience = launch.read_config(preset, _options(self.fields))
        dataset = find_dataset(self.fields)
        launch.check_dataset(dataset, config)
        return Response({"seconds": launch.estimate(dataset, config)})

    @extend_schema(responses=PresetsSerializer)
    @action(detail=False, pagination_class=None)
    def presets(self, request: Request) -> Response:
        """The choices: presets with their values, options with their ranges."""
        return Response(
            {
                "presets": {name: config.to_dict() for name, config in launch.PRESETS.items()},
                "choices": launch.CHOICES,
                "options": {
                    name: {
                        "title": option.title,
                        "whole": option.kind is int,
                        "lowest": option.lowest,
                        "highest": option.highest,
                    }
                    for name, option in launch.OPTIONS.items()
                },
            }
        )

    @extend_schema(request=None, responses=RunDetailSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel it, queued or running; the checkpoint is kept."""
        return self.answer(runs.cancel(self.get_object()), "This training has already ended.")

    @extend_schema(request=None, responses=RunDetailSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Resume a failed or canceled training from its last epoch."""
        return self.answer(
            runs.resume(self.get_object()),
            "Only a failed or canceled training can be resumed.",
        )

    @extend_schema(request=None, responses={201: RunDetailSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Queue a new training with the same options."""
        run = launch.retry(person_of(request), self.get_object())
        return Response(self.get_serializer(run).data, status=201)


def _options(data: Mapping) -> dict:
    """The options in the request."""
    named = ("dataset", "preset", "note")
    return {name: data[name] for name in data if name not in named}
