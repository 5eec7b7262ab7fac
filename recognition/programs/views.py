"""The pages of API keys and webhooks."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@login_required
def account_keys(request: HttpRequest) -> HttpResponse:
    return render(request, "programs/keys.html")


@login_required
def account_webhooks(request: HttpRequest) -> HttpResponse:
    return render(request, "programs/webhooks.html")
