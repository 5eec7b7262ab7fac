"""/api/v1/faces/: every face of a person's analyses, and their corrections."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from recognition import face_states
from recognition.api.filters import MomentFilter
from recognition.api.pages import FacesNewestFirst
from recognition.api.people import person_of
from recognition.api.problems import Problem
from recognition.api.states import StateSerializer
from recognition.api.views import RateHeaders
from recognition.models import CORRECTION_CHOICES, EMOTION_CHOICES, Face
from recognition.photos import corrections

ZIP = {(200, "application/zip"): OpenApiTypes.BINARY}


class FaceSerializer(StateSerializer):
    """A face with its analysis."""

    state = face_states.FoundFace

    def to_representation(self, instance: Face) -> face_states.FoundFace:
        return face_states.describe_found_face(instance)


class CorrectionSerializer(serializers.Serializer):
    """The correct expression; null removes a correction."""

    correction = serializers.ChoiceField(choices=CORRECTION_CHOICES, allow_null=True)


class FaceFilter(django_filters.FilterSet):
    """The filters of the list.

    The probability is that of the face's top expression, the date that of its analysis.
    """

    emotion = django_filters.ChoiceFilter(choices=EMOTION_CHOICES)
    min_probability = django_filters.NumberFilter("probability", lookup_expr="gte")
    max_probability = django_filters.NumberFilter("probability", lookup_expr="lte")
    analysis = django_filters.UUIDFilter("analysis_id")
    correction = django_filters.ChoiceFilter(choices=CORRECTION_CHOICES)
    corrected = django_filters.BooleanFilter("corrected_at", lookup_expr="isnull", exclude=True)
    created_after = MomentFilter("analysis__created_at", lookup_expr="gte")
    created_before = MomentFilter("analysis__created_at", lookup_expr="lt")


class FaceViewSet(
    RateHeaders, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet
):
    """The faces in a person's photos and kept sessions."""

    queryset = Face.objects.none()
    scope = "analyze"
    serializer_class = FaceSerializer
    pagination_class = FacesNewestFirst
    filterset_class = FaceFilter
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Any]:
        return (
            Face.objects.filter(owner=person_of(self.request))
            .select_related("track")
            .defer("track__picture", "mesh")
        )

    @extend_schema(request=CorrectionSerializer, responses=FaceSerializer)
    def partial_update(self, request: Request, pk: Any = None) -> Response:
        """Correct a face's expression, or mark it as no face; the prediction is kept."""
        face = self.get_object()
        wanted = CorrectionSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        corrections.correct(face, wanted.validated_data["correction"] or "")
        return Response(FaceSerializer(face).data)

    @extend_schema(responses=ZIP, filters=False)
    @action(detail=False, pagination_class=None)
    def corrections(self, request: Request) -> HttpResponse:
        """The corrected faces in photos as a data set to train on.

        A zip with a folder per expression that holds gray PNG files of 48 x 48 pixels.
        """
        if not corrections.labeled(person_of(request)).exists():
            raise Problem(404, "no_corrections", "No face in a photo has been corrected yet.")
        content = corrections.make_data_set(person_of(request))
        response = HttpResponse(content, content_type="application/zip")
        response["Content-Disposition"] = 'attachment; filename="corrections.zip"'
        response["Cache-Control"] = "private, no-store"
        return response
