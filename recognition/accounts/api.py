"""/api/v1/me/ and /api/v1/stats/: the current user, and statistics."""

from typing import TypedDict

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recognition.api import allowances
from recognition.api.access import key_of
from recognition.api.people import person_of
from recognition.api.states import StateSerializer
from recognition.api.views import RateHeaders


class Limits(TypedDict):
    """The limits of this person or key."""

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
    usage: allowances.Usage


class MeSerializer(StateSerializer):
    state = Me


class MeView(RateHeaders, APIView):
    """The current person or key."""

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """The current person or key, with limits and usage."""
        key = key_of(request)
        limits: Limits = {
            "requests_per_minute": allowances.requests_per_minute(person_of(request), key),
            "upload_bytes": allowances.upload_bytes(person_of(request), key),
            "request_bytes": settings.MAX_REQUEST_BYTES,
            "files_per_request": settings.DATA_UPLOAD_MAX_NUMBER_FILES,
        }
        me: Me = {
            "email": person_of(request).email,
            "is_staff": request.user.is_staff,
            "key": key.prefix if key else None,
            "limits": limits,
            "usage": allowances.usage(person_of(request)),
        }
        return Response(me)
