"""/api/v1/webhooks/: a person's webhooks and their delivery log."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from recognition.api.pages import Pages
from recognition.api.people import person_of
from recognition.api.problems import Problem
from recognition.api.views import RateHeaders, SignedInOnly
from recognition.models import Delivery, Webhook
from recognition.programs import webhooks

MOST_WEBHOOKS = 10


class WebhookSerializer(serializers.ModelSerializer):
    """A webhook; its secret verifies the Mien-Signature header."""

    class Meta:
        model = Webhook
        fields = ["id", "url", "secret", "active", "created_at"]
        read_only_fields = ["id", "secret", "created_at"]

    def validate_url(self, value: Any) -> str:
        try:
            webhooks.resolve(value)
        except webhooks.WebhookRefused as error:
            raise serializers.ValidationError(str(error), code="address_refused") from None
        return value

    def create(self, values: Any) -> Webhook:
        if Webhook.objects.filter(owner=values["owner"]).count() >= MOST_WEBHOOKS:
            detail = f"There are {MOST_WEBHOOKS} webhooks already; delete one first."
            raise Problem(409, "too_many_webhooks", detail)
        webhook = webhooks.create(values["owner"], values["url"])
        if not values.get("active", True):
            webhook.active = False
            webhook.save(update_fields=["active"])
        return webhook


class DeliverySerializer(serializers.ModelSerializer):
    """One event sent to a webhook."""

    class Meta:
        model = Delivery
        fields = [
            *["id", "event", "status", "attempts", "next_attempt_at", "response_status"],
            *["response", "created_at", "delivered_at", "body"],
        ]
        read_only_fields = fields


class LatestFirst(Pages):
    page_size = 50
    ordering = "-id"


class WebhookViewSet(
    SignedInOnly,
    RateHeaders,
    mixins.ListModelMixin,
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """The webhooks of the signed-in person."""

    queryset = Webhook.objects.none()
    serializer_class = WebhookSerializer
    pagination_class = None
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Any]:
        return Webhook.objects.filter(owner=person_of(self.request))

    def perform_create(self, serializer: Any) -> None:
        serializer.save(owner=self.request.user)

    @extend_schema(responses=DeliverySerializer(many=True))
    @action(detail=True, pagination_class=LatestFirst)
    def deliveries(self, request: Request, pk: Any = None) -> Response:
        """This webhook's deliveries of the last 30 days, newest first."""
        page = self.paginate_queryset(self.get_object().deliveries.all())
        return self.get_paginated_response(DeliverySerializer(page, many=True).data)


class DeliveryViewSet(
    SignedInOnly, RateHeaders, mixins.RetrieveModelMixin, viewsets.GenericViewSet
):
    """Single deliveries."""

    queryset = Delivery.objects.none()
    serializer_class = DeliverySerializer
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Any]:
        return Delivery.objects.filter(webhook__owner=person_of(self.request))

    @extend_schema(request=None, responses={202: DeliverySerializer})
    @action(detail=True, methods=["post"])
    def resend(self, request: Request, pk: Any = None) -> Response:
        """Send it again."""
        delivery = self.get_object()
        webhooks.resend(delivery)
        delivery.refresh_from_db()
        return Response(DeliverySerializer(delivery).data, 202)
