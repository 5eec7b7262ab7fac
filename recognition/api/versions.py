"""/api/v1/models/: the model versions."""

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from recognition import registry
from recognition.api.access import RateHeaders
from recognition.api.pages import ByNumber
from recognition.api.problems import Problem
from recognition.models import ModelVersion


class ModelVersionSerializer(serializers.ModelSerializer):
    """A model version and what its card says about it."""

    card = serializers.DictField(read_only=True)

    class Meta:
        model = ModelVersion
        fields = [
            *["number", "architecture", "active", "shipped", "imported", "archived"],
            *["sha256", "created_at", "card"],
        ]
        read_only_fields = fields


class PromotionSerializer(serializers.Serializer):
    """`confirmed`: also where the version is worse than the active one on the same data."""

    confirmed = serializers.BooleanField(default=False)


class ModelViewSet(
    RateHeaders, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet
):
    """The classifiers of this site; one of them is active."""

    queryset = ModelVersion.objects.all()
    scope = "train"
    serializer_class = ModelVersionSerializer
    pagination_class = ByNumber
    lookup_field = "number"
    lookup_value_converter = "int"

    @extend_schema(request=PromotionSerializer, responses=ModelVersionSerializer)
    @action(detail=True, methods=["post"])
    def promote(self, request: Request, number=None) -> Response:
        """Make this version the one that all workers use. Administrators only."""
        if not request.user.is_staff:
            raise Http404
        version = self.get_object()
        wanted = PromotionSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            registry.promote(version, request.user, **wanted.validated_data)
        except registry.PromotionRefused as refusal:
            raise Problem(409, refusal.code, refusal.message) from None
        version.refresh_from_db()
        return Response(self.get_serializer(version).data)
