"""/api/v1/keys/: a person's API keys. Managing them needs a signed-in person, not a key."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from recognition.api import keys
from recognition.api.people import person_of
from recognition.api.problems import Problem
from recognition.api.reauthentication import require_reauthentication
from recognition.api.views import RateHeaders, SignedInOnly
from recognition.models import ApiKey

MOST_KEYS = 50


class KeySerializer(serializers.ModelSerializer):
    """A key without its secret."""

    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=ApiKey.Scope.choices), min_length=1, max_length=3
    )

    class Meta:
        model = ApiKey
        fields = [
            *["id", "name", "prefix", "scopes", "created_at", "expires_at"],
            *["last_used_at", "revoked_at"],
        ]
        read_only_fields = ["id", "prefix", "created_at", "last_used_at", "revoked_at"]

    def validate_expires_at(self, value: Any) -> Any:
        if value and value <= timezone.now():
            raise serializers.ValidationError("This date is in the past.", code="in_the_past")
        return value


class NewKeySerializer(KeySerializer):
    """A key with its secret, shown once on creation."""

    key = serializers.CharField(read_only=True)

    class Meta(KeySerializer.Meta):
        fields = [*KeySerializer.Meta.fields, "key"]


class KeyViewSet(
    SignedInOnly,
    RateHeaders,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """The keys of the signed-in person."""

    queryset = ApiKey.objects.none()
    serializer_class = KeySerializer
    pagination_class = None
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Any]:
        return ApiKey.objects.filter(owner=person_of(self.request))

    @extend_schema(request=KeySerializer, responses={201: NewKeySerializer})
    def create(self, request: Request) -> Response:
        """Create a key. Only this response shows its secret.

        403 `reauthentication_needed` if password or second factor weren't entered lately.
        """
        wanted = KeySerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        if self.get_queryset().filter(revoked_at=None).count() >= MOST_KEYS:
            detail = f"There are {MOST_KEYS} keys already; revoke one first."
            raise Problem(409, "too_many_keys", detail)
        require_reauthentication(request)
        values = wanted.validated_data
        key, text = keys.create(
            person_of(request), values["name"], values["scopes"], values.get("expires_at")
        )
        return Response({**KeySerializer(key).data, "key": text}, 201)

    def perform_destroy(self, instance: ApiKey) -> None:
        """Revoked keys stay listed, so their owner can see when they were last used."""
        keys.revoke(instance)
