"""Who requests a page: a signed-in person, or an administrator."""

import functools
from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from recognition import administrators

View = Callable[..., HttpResponse]


def person_of(request: Any) -> User:
    """The current user; only for views that require signing in."""
    return cast(User, request.user)


def administrators_only(view: View) -> View:
    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_staff:
            raise Http404
        if administrators.needs_second_factor(request.user):
            return lead_to_second_factor(request)
        return view(request, *args, **kwargs)

    return guarded


def lead_to_second_factor(request: HttpRequest) -> HttpResponse:
    """The answer to an administrator who has to set up a second factor first."""
    messages.warning(request, "Administrators of this site need a second factor. Set one up here.")
    return redirect("mfa_index")
