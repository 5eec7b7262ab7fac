"""Who requests something: a signed-in person who has agreed to it, or an administrator."""

import functools
from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from recognition import administrators, consent
from recognition.api.problems import Problem

View = Callable[..., HttpResponse]


def person_of(request: Any) -> User:
    """The current user; only for views that require signing in."""
    return cast(User, request.user)


def check_consent(request: Any, project: str = "") -> None:
    """Raises Problem: consent_needed, or unknown_project if no such project has a text."""
    if project and consent.current(project) is None:
        message = f'There is no project "{project}" on this site.'
        raise Problem(400, "unknown_project", message)
    for name in dict.fromkeys(("", project)):
        if consent.missing(person_of(request), name):
            place = request.build_absolute_uri(reverse("account_consent"))
            raise Problem(
                403,
                "consent_needed",
                f"Nothing is analyzed until you have agreed to how "
                f"{f'the project “{name}”' if name else 'this site'} uses pictures. Read it in a "
                f"browser at {place}.",
            )


def after_consent(view: View) -> View:
    """Leads people who have yet to agree to the page where they can."""

    @functools.wraps(view)
    def asking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated and consent.missing(person_of(request)):
            query = urlencode({"next": request.get_full_path()})
            return redirect(f"{reverse('account_consent')}?{query}")
        return view(request, *args, **kwargs)

    return asking


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
