"""/api/v1/faces/: every face of a person's analyses, by expression and probability."""

import django_filters
from rest_framework import mixins, viewsets

from recognition import events
from recognition.api.access import RateHeaders
from recognition.api.pages import FacesNewestFirst
from recognition.api.states import StateSerializer
from recognition.models import EMOTION_CHOICES, Face


class FaceSerializer(StateSerializer):
    """A face with the analysis that it belongs to."""

    state = events.FoundFace

    def to_representation(self, instance: Face) -> events.FoundFace:
        return events.describe_found_face(instance)


class FaceFilter(django_filters.FilterSet):
    """What a list can be narrowed to; the probability is that of the face's own expression."""

    emotion = django_filters.ChoiceFilter(choices=EMOTION_CHOICES)
    min_probability = django_filters.NumberFilter("probability", lookup_expr="gte")
    max_probability = django_filters.NumberFilter("probability", lookup_expr="lte")
    analysis = django_filters.UUIDFilter("analysis_id")


class FaceViewSet(
    RateHeaders, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet
):
    """The faces in a person's photos and kept sessions."""

    queryset = Face.objects.none()
    serializer_class = FaceSerializer
    pagination_class = FacesNewestFirst
    filterset_class = FaceFilter
    lookup_value_converter = "int"

    def get_queryset(self):
        return Face.objects.filter(owner=self.request.user).select_related("track")
