"""Asks people once more for password or second factor before what could do lasting harm."""

from allauth.account.decorators import reauthentication_required
from allauth.core.exceptions import ReauthenticationRequired
from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from recognition.api.access import key_of
from recognition.api.problems import Problem

NEEDED = "Confirm that it's you: enter your password or second factor, then try again."


@reauthentication_required
def confirmed(request: HttpRequest) -> HttpResponse:
    """Nothing but allauth's check."""
    return HttpResponse()


def require_reauthentication(request: Request) -> None:
    """Raise Problem unless the person has signed in or confirmed within the last 15 minutes.

    Pages then lead to allauth's page for it. Programs with a key aren't asked.
    """
    if key_of(request):
        return
    try:
        confirmed(request._request)
    except ReauthenticationRequired:
        raise Problem(403, "reauthentication_needed", NEEDED) from None
