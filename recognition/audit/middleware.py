"""Records requests that succeeded and that the audit log is for."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from recognition.audit import trail
from recognition.audit.actions import action_of
from recognition.models import ApiKey

# Where a request is led that was not carried out.
ELSEWHERE = (
    *("account_login", "account_reauthenticate", "mfa_reauthenticate", "account_consent"),
    "account_confirm_sign_on",
)

# Wherever these lead, they tell by the person whether they succeeded.
SIGNING = {"account_logout", "account_signup", "setup"}


class AuditMiddleware:
    """One place for all: no view can forget to record."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        route = route_of(request)
        action = action_of(route, request.method or "")
        if action and is_done(request, response):
            who = getattr(request, "leaving", None) or request.user.pk
            if who:
                trail.record(
                    action,
                    who,
                    subject=subject_of(request),
                    address=address_of(request),
                    key=key_prefix_of(request),
                )
        return response

    def process_view(self, request: HttpRequest, *view: Any) -> None:
        """Remember who is about to sign out: afterwards it can't be told."""
        if route_of(request) in {"account_logout", "admin:logout"}:
            request.leaving = request.user.pk  # type: ignore[attr-defined]


def route_of(request: HttpRequest) -> str:
    """The name of the request's route; "" for static files and wrong addresses."""
    match = request.resolver_match
    return match.view_name if match else ""


def is_done(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether the response says that what was asked for has happened."""
    if request.method in {"GET", "HEAD"} or request.path.startswith("/api/"):
        return response.status_code < 400  # 304: the browser shows the copy it has
    if response.status_code not in {302, 303}:  # 200 is a form with its errors, or a question
        return False
    route = route_of(request)
    if route in SIGNING:
        return True
    place = response.headers["Location"].partition("?")[0]
    elsewhere = {reverse(name) for name in ELSEWHERE if name != route}
    if not route.startswith("mfa_"):
        elsewhere.add(reverse("mfa_index"))
    return place not in elsewhere


def subject_of(request: HttpRequest) -> str:
    """What was changed or looked at, as its address names it."""
    route, match = route_of(request), request.resolver_match
    keys = match.kwargs if match else {}
    if route.startswith("admin:"):
        names = (route.removeprefix("admin:"), keys.get("object_id"))
        return " ".join(str(name) for name in names if name)[:100]
    for name in ("analysis", "pk", "number", "queue"):
        if name in keys:
            return str(keys[name])
    return ""


def key_prefix_of(request: HttpRequest) -> str:
    """The prefix of the API key, where one was used; the API notes it on the request."""
    key = getattr(request, "auth", None)
    return key.prefix if isinstance(key, ApiKey) else ""


def address_of(request: HttpRequest) -> str | None:
    """Where a request comes from, past the proxies that are trusted; None if that can't be told."""
    with suppress(PermissionDenied):
        address: str = get_adapter(request).get_client_ip(request)
        return address
    return None
