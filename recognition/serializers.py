"""How the API shows analyses: the same shapes that the events carry."""

from rest_framework import serializers

from recognition import events
from recognition.models import Analysis


class AnalysisSerializer(serializers.BaseSerializer):
    """An analysis without its faces, as in lists and events. Read only."""

    def to_representation(self, instance: Analysis) -> events.AnalysisState:
        return events.describe_analysis(instance)


class AnalysisDetailSerializer(serializers.BaseSerializer):
    """An analysis with its faces. Read only."""

    def to_representation(self, instance: Analysis) -> events.AnalysisState:
        return events.describe_with_faces(instance)
