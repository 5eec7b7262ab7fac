"""The page of live sessions."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from recognition.api.people import after_consent
from recognition.live.session import limits as live_limits


@login_required
@after_consent
def live(request: HttpRequest) -> HttpResponse:
    return render(request, "live/live.html", {"live_limits": live_limits()})
