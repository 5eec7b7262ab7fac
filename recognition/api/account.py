"""/api/v1/me/ and /api/v1/stats/: who asks, what is stored, what it showed."""

from typing import TypedDict

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recognition import allowances, statistics
from recognition.api.access import RateHeaders, key_of
from recognition.api.states import StateSerializer

MOST_DAYS = 366


class Limits(TypedDict):
    """What this person, or this key, may do."""

    requests_per_minute: int
    upload_bytes: int
    request_bytes: int
    files_per_request: int


class Me(TypedDict):
    """Who asks."""

    email: str
    is_staff: bool
    key: str | None
    limits: Limits
    usage: statistics.Usage


class Stats(TypedDict):
    """Photos and faces by day."""

    days: list[statistics.Day]


class DaysSerializer(serializers.Serializer):
    days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, default=30)


class MeSerializer(StateSerializer):
    state = Me


class StatsSerializer(StateSerializer):
    state = Stats


class MeView(RateHeaders, APIView):
    """The person or key that asks."""

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """Who asks, with limits and usage."""
        key = key_of(request)
        limits: Limits = {
            "requests_per_minute": allowances.requests_per_minute(request.user, key),
            "upload_bytes": allowances.upload_bytes(request.user, key),
            "request_bytes": settings.MAX_REQUEST_BYTES,
            "files_per_request": settings.DATA_UPLOAD_MAX_NUMBER_FILES,
        }
        me: Me = {
            "email": request.user.email,
            "is_staff": request.user.is_staff,
            "key": key.prefix if key else None,
            "limits": limits,
            "usage": statistics.usage(request.user),
        }
        return Response(me)


class StatsView(RateHeaders, APIView):
    """What a person's photos showed."""

    @extend_schema(
        parameters=[OpenApiParameter("days", int, description="1 to 366, 30 unless told")],
        responses=StatsSerializer,
    )
    def get(self, request: Request) -> Response:
        """Photos and faces of the last days by expression, today last."""
        asked = DaysSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        days = statistics.days(request.user, asked.validated_data["days"])
        return Response({"days": days})
