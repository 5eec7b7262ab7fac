"""Errors as RFC 9457 problem documents with stable codes."""

import http.client
import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, JsonResponse
from django.http.multipartparser import MultiPartParserError
from redis.exceptions import RedisError
from rest_framework import exceptions
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, set_rollback

from recognition import storage
from recognition.api.problems import Problem, Unavailable

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
# More specific codes for some of the framework's errors.
CODES = {
    exceptions.NotAuthenticated: "not_signed_in",
    exceptions.AuthenticationFailed: "not_signed_in",
    exceptions.PermissionDenied: "not_allowed",
    exceptions.NotFound: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    exceptions.ParseError: "malformed_request",
    exceptions.Throttled: "too_many_requests",
    exceptions.ValidationError: "invalid",
}


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """The exception handler of Django REST framework; None for bugs, which become a 500."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, RecursionError):  # thousands of nested lists
        error = exceptions.ParseError("This JSON is nested too deeply.")
    elif isinstance(error, RequestDataTooBig):
        kilobytes = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024
        detail = f"This request is larger than {kilobytes} KB, the limit at this address."
        error = Problem(413, "request_too_large", detail)
    elif isinstance(error, (SuspiciousOperation, MultiPartParserError)):  # such as 1,001 fields
        error = exceptions.ParseError(str(error) or None)
    elif isinstance(error, (OperationalError, InterfaceError)):
        logger.exception("The database failed")
        error = Unavailable("The database")
    elif isinstance(error, RedisError):
        logger.exception("Redis failed")
        error = Unavailable("The queue")
    elif isinstance(error, OSError) or storage.is_trouble(error):  # such as a full disk
        logger.exception("The storage failed")
        error = Unavailable("The storage")
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    headers = _pause(error)
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    body = describe(error)
    return Response(body, body["status"], headers=headers, content_type=CONTENT_TYPE)


def answer(error: exceptions.APIException) -> JsonResponse:
    """The response for an error outside the framework's views."""
    return JsonResponse(
        describe(error),
        status=error.status_code,
        content_type=CONTENT_TYPE,
        headers=_pause(error),
    )


def _pause(error: exceptions.APIException) -> dict[str, str]:
    """The header that says when to try again, if that may help."""
    wait = getattr(error, "wait", None)
    return {"Retry-After": str(max(1, round(wait)))} if wait else {}


def describe(error: exceptions.APIException) -> dict[str, Any]:
    """The problem document for an error."""
    status = error.status_code
    code = CODES.get(type(error)) or str(getattr(error.detail, "code", error.default_code))
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title_of(status),
        "status": status,
        "code": code,
    }
    if isinstance(error, exceptions.ValidationError):
        body["errors"] = list(flatten(error.detail))
        body["detail"] = "Some fields are invalid. See errors."
    else:
        body["detail"] = str(error.detail)
    if errors := getattr(error, "errors", None):
        body["errors"] = errors
    return body


def title_of(status: int) -> str:
    """What a status is called; 460 is that of tus."""
    return http.client.responses.get(status, "Checksum Mismatch")


def flatten(detail: Any, field: str = "") -> list[dict[str, str]]:
    """Validation errors as a list of {field, code, message}."""
    if isinstance(detail, dict):
        return [
            entry
            for name, inner in detail.items()
            for entry in flatten(inner, f"{field}.{name}" if field else str(name))
        ]
    if isinstance(detail, list):
        return [entry for inner in detail for entry in flatten(inner, field)]
    return [{"field": field, "code": detail.code, "message": str(detail)}]


class NothingHere(APIView):
    """Every other address below /api/."""

    permission_classes = [AllowAny]
    throttle_classes = []
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise exceptions.NotFound("There is nothing at this API address.")
