"""Who requests a page: a signed-in person, or an administrator."""

import functools
from collections.abc import Callable
from typing import Any, cast

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse

View = Callable[..., HttpResponse]


def person_of(request: Any) -> User:
    """The current user; only for views that require signing in."""
    return cast(User, request.user)


def administrators_only(view: View) -> View:
    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_staff:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded
