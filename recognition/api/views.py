"""What views of the API have in common."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recognition.api.access import WINDOW_SECONDS, key_of
from recognition.api.problems import Problem


class SignedInOnly(APIView):
    """A mixin of views that no key opens: what a key could do for itself would outlive it."""

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        if key_of(request):
            raise Problem(403, "sign_in_needed", "Only a signed-in person can do this, not a key.")


class DocsPage(SpectacularSwaggerSplitView):
    """The page to try the API at."""

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return HttpResponse(status=204)  # with Allow; its renderer knows only the page's template


class RateHeaders(APIView):
    """View mixin that adds the rate limit headers of draft-ietf-httpapi-ratelimit-headers."""

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        if limits := getattr(request._request, "rate_limit", None):
            limit, left, reset = limits
            response["RateLimit-Policy"] = f'"requests";q={limit};w={WINDOW_SECONDS}'
            response["RateLimit"] = f'"requests";r={left};t={round(reset)}'
        return response
