"""/api/v1/models/: the model versions."""

from rest_framework import mixins, serializers, viewsets

from recognition.api.pages import ByNumber
from recognition.api.views import RateHeaders
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


class ModelViewSet(
    RateHeaders, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet
):
    """The classifiers of this site; one of them is active."""

    queryset = ModelVersion.objects.all()
    serializer_class = ModelVersionSerializer
    pagination_class = ByNumber
    lookup_field = "number"
    lookup_value_converter = "int"
