"""Access to the API: keys, scopes, and rate limits per person and key."""

import functools
import time
from typing import Any

import redis
from django.conf import settings
from django.http import Http404
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import permissions
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from recognition import administrators
from recognition.api import allowances, keys
from recognition.api.problems import Problem
from recognition.models import ApiKey

WINDOW_SECONDS = 60
NO_SECOND_FACTOR = (
    "Administrators of this site need a second factor, and so do their keys. Set one up in a "
    "browser at /accounts/2fa/, then try again."
)


class KeyAuthentication(BaseAuthentication):
    """Authenticates `Authorization: Bearer mien_…` as the key's owner."""

    def authenticate(self, request: Request) -> Any:
        scheme, _, text = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        key = keys.find(text.strip())
        if key is None:
            raise AuthenticationFailed("This key does not exist, has expired or was revoked.")
        return key.owner, key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class KeyScheme(OpenApiAuthenticationExtension):
    """Describes key authentication in the API's description."""

    target_class = KeyAuthentication
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> Any:
        return {"type": "http", "scheme": "bearer", "description": "A key: mien_…"}


def key_of(request: Request) -> ApiKey | None:
    """The request's API key; None for a signed-in person."""
    return request.auth if isinstance(request.auth, ApiKey) else None


class HasScope(BasePermission):
    """Keys are limited by their scopes; a signed-in person may do everything.

    Reading needs `read`, or the view's `read_scope`; anything else the view's `scope`. Without a
    `scope` no key is allowed.
    """

    message = "This key lacks the scope for this request."

    def has_permission(self, request: Request, view: Any) -> bool:
        key = key_of(request)
        if key is None:
            return True
        if request.method in SAFE_METHODS:
            return getattr(view, "read_scope", ApiKey.Scope.READ) in key.scopes
        return getattr(view, "scope", None) in key.scopes


class RequestRate(BaseThrottle):
    """Limits requests per minute, counted in Redis and reported in headers.

    Without Redis nobody is limited: a rate limit is no reason to refuse requests.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        key = key_of(request)
        limit = allowances.requests_per_minute(request.user, key)
        now = time.time()
        window = int(now // WINDOW_SECONDS)
        who = f"user-{request.user.pk}" if request.user.pk else f"at-{self.get_ident(request)}"
        if key:
            who = f"key-{key.pk}"
        try:
            used = count(f"mien:api:{who}:{window}")
        except redis.RedisError:
            return True
        self.reset = (window + 1) * WINDOW_SECONDS - now
        # RateHeaders adds these to the response.
        request._request.rate_limit = (limit, max(0, limit - used), self.reset)  # type: ignore[attr-defined]
        return used <= limit

    def wait(self) -> float:
        return self.reset


def count(name: str) -> int:
    """How many calls with `name` fall in the current window, including this one."""
    with counters().pipeline(transaction=True) as together:
        together.incr(name)
        together.expire(name, 2 * WINDOW_SECONDS)
        return together.execute()[0]


@functools.cache
def counters() -> redis.Redis:
    """This process's connection to the counters, which are stored with the cache."""
    location = settings.CACHES["default"]["LOCATION"]
    pool = redis.ConnectionPool.from_url(location, socket_timeout=1, socket_connect_timeout=1)
    # A client closes a pool that it created itself. If two threads come here first at the same
    # time, the one whose client is dropped would lose its connection while counting.
    return redis.Redis(connection_pool=pool)


class IsAdministrator(permissions.BasePermission):
    """Nobody else finds what is here. Where the site asks for a second factor, an administrator
    without one is told so, and so is a program with their key."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_staff:
            raise Http404
        if administrators.needs_second_factor(request.user):
            raise Problem(403, "second_factor_needed", NO_SECOND_FACTOR)
        return True
