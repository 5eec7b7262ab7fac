"""Serializers that give the states of recognition.events, and how the description shows them."""

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.plumbing import resolve_type_hint
from rest_framework import serializers

from recognition import events, recordings
from recognition.models import Analysis


class StateSerializer(serializers.BaseSerializer):
    """A row as a TypedDict of recognition.events. Read only."""

    state: type


class AnalysisSerializer(StateSerializer):
    """An analysis without its faces, as in lists and events."""

    state = events.AnalysisSummary

    def to_representation(self, instance: Analysis) -> events.AnalysisState:
        return events.describe_analysis(instance)


class AnalysisDetailSerializer(StateSerializer):
    """A photo's analysis with its faces, a session's with its tracks."""

    state = events.AnalysisState

    def to_representation(self, instance: Analysis) -> events.AnalysisState:
        if instance.kind == Analysis.Kind.WEBCAM:
            return recordings.describe_with_tracks(instance)
        return events.describe_with_faces(instance)


class StateSchema(OpenApiSerializerExtension):
    """A state's TypedDict as a component of the API's description."""

    target_class = StateSerializer
    match_subclasses = True

    def get_name(self, auto_schema, direction):
        return self.target.__class__.__name__.removesuffix("Serializer")

    def map_serializer(self, auto_schema, direction):
        return resolve_type_hint(self.target.state)
