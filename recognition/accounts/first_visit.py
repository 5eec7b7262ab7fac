"""What a site without an administrator answers: it has to be set up first."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from recognition.accounts import rules
from recognition.api.handler import answer
from recognition.api.problems import Problem

NOT_SET_UP = "Nobody has set this site up yet: open it in a browser and create its administrator."


class FirstVisitMiddleware:
    """Leads every visitor of such a site to the page that creates one; tells programs in words."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.is_set_up = False

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Asked until the answer is yes; a site never loses its administrator again.
        self.is_set_up = self.is_set_up or rules.is_set_up()
        if self.is_set_up or request.path in (reverse("setup"), reverse("health")):
            return self.get_response(request)
        if request.path.startswith("/api/"):
            return answer(Problem(403, "not_set_up", NOT_SET_UP))
        return redirect("setup")
