"""How the API shows analyses: the same shapes that the events carry."""

from rest_framework import serializers

from recognition import events, recordings
from recognition.models import Analysis


class AnalysisSerializer(serializers.BaseSerializer):
    """An analysis without its faces, as in lists and events. Read only."""

    def to_representation(self, instance: Analysis) -> events.AnalysisState:
        return events.describe_analysis(instance)


class AnalysisDetailSerializer(serializers.BaseSerializer):
    """A photo's analysis with its faces, a session's with its tracks. Read only."""

    def to_representation(self, instance: Analysis) -> events.AnalysisState:
        if instance.kind == Analysis.Kind.WEBCAM:
            return recordings.describe_with_tracks(instance)
        return events.describe_with_faces(instance)
