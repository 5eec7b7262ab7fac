"""Leads to the set-up page while a site has no administrator."""

from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from recognition.accounts import rules
from recognition.api.handler import answer
from recognition.api.problems import Problem, Unavailable

NOT_SET_UP = "This site isn't set up yet. Open it in a browser and create the administrator."
ALWAYS_OPEN = ("setup", "health", "health-live", "health-ready", "metrics")


class FirstVisitMiddleware:
    """Redirects visitors to the set-up page; programs get an error."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.is_set_up = False

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # First, because health is asked for while the database is down, too.
        if request.path in {reverse(name) for name in ALWAYS_OPEN}:
            return self.get_response(request)
        # Checked until there is one; after that a site always has an administrator.
        try:
            self.is_set_up = self.is_set_up or rules.is_set_up()
        except (OperationalError, InterfaceError):
            # This process started while the database was away, and programs try again later.
            if request.path.startswith("/api/"):
                return answer(Unavailable("The database"))
            raise
        if self.is_set_up:
            return self.get_response(request)
        if request.path.startswith("/api/"):
            return answer(Problem(403, "not_set_up", NOT_SET_UP))
        return redirect("setup")
