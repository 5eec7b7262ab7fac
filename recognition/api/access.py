"""Who may use the API and how much: keys, scopes, and limits per person and key."""

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

from recognition.api import allowances, keys
from recognition.models import ApiKey

WINDOW_SECONDS = 60


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer mien_…`: the owner of a valid key."""

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
    """How the API's description shows keys."""

    target_class = KeyAuthentication
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> Any:
        return {"type": "http", "scheme": "bearer", "description": "A key: mien_…"}


def key_of(request: Request) -> ApiKey | None:
    """The key of the program that asks; None for a person who is signed in."""
    return request.auth if isinstance(request.auth, ApiKey) else None


class HasScope(BasePermission):
    """A key may do what its scopes say; a person who is signed in may do everything.

    Reading needs `read`, or the view's `read_scope`; anything else the view's `scope`, and with
    none no key will do.
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
    """So many requests a minute, counted in Redis in one step; told in headers.

    Without Redis nobody is held back: a limit is no reason to refuse.
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
        # Read by RateHeaders once the answer is there.
        request._request.rate_limit = (limit, max(0, limit - used), self.reset)  # type: ignore[attr-defined]
        return used <= limit

    def wait(self) -> float:
        return self.reset


def count(name: str) -> int:
    """How many times this was called with `name` in its window, this call included."""
    with counters().pipeline(transaction=True) as together:
        together.incr(name)
        together.expire(name, 2 * WINDOW_SECONDS)
        return together.execute()[0]


@functools.cache
def counters() -> redis.Redis:
    """This process's connection to the counters, which lie beside the cache."""
    location = settings.CACHES["default"]["LOCATION"]
    pool = redis.ConnectionPool.from_url(location, socket_timeout=1, socket_connect_timeout=1)
    # A client that made its pool itself closes it at its end: of two threads that come here first
    # at once, the one whose client is not kept would lose its connection while it counts.
    return redis.Redis(connection_pool=pool)


class IsAdministrator(permissions.BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_staff:
            raise Http404
        return True
