"""The set-up page of the first visit, the privacy notice, and the pages of people's own data."""

from typing import Any
from urllib.parse import urlencode

import segno
from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from allauth.account.utils import get_next_redirect_url
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe

from recognition import consent
from recognition.accounts import erasure, retention, rules, single_sign_on
from recognition.accounts.forms import CloseForm, FirstAdministratorForm, RetentionForm
from recognition.accounts.tasks import delete_expired, erase_closed_accounts
from recognition.api.people import person_of
from recognition.jobs.broker import send
from recognition.models import ConsentText


def setup(request: HttpRequest) -> HttpResponse:
    """Creates the administrator; the page is gone afterwards."""
    if rules.is_set_up():
        raise Http404
    form = FirstAdministratorForm(request.POST or None)
    if form.is_valid():
        email, password = form.cleaned_data["email"], form.cleaned_data["password1"]
        try:
            user = rules.create_first_administrator(email, password)
        except IntegrityError:  # another visitor was faster
            raise Http404 from None
        login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
        rules.note_sign_in(request)
        return redirect("home")
    return render(request, "accounts/setup.html", {"form": form})


def privacy(request: HttpRequest) -> HttpResponse:
    """What this site does with pictures of people, with its own contact and times. For everyone."""
    return render(request, "accounts/privacy.html", _site())


def sign(request: HttpRequest) -> HttpResponse:
    """A sign to print and put up where people are analyzed; its code leads to the notice."""
    address = request.build_absolute_uri(reverse("privacy"))
    drawing = segno.make(address, error="m").svg_inline(scale=4, border=0, omitsize=True)
    # Made here, of an address that Django has checked.
    page = {**_site(), "address": address, "code": mark_safe(drawing)}
    return render(request, "accounts/sign.html", page)


def _site() -> dict[str, Any]:
    names = ("OPERATOR", "CONTACT", "RETENTION_DAYS", "AUDIT_DAYS")
    return {"site": {name.lower(): getattr(settings, name) for name in names}}


@login_required
def agreements(request: HttpRequest) -> HttpResponse:
    """The texts of the site and its projects: read, accepted, withdrawn."""
    user, next_page = person_of(request), request.GET.get("next", "")
    if request.method == "POST":
        text = get_object_or_404(ConsentText, pk=request.POST.get("text"), retired_at=None)
        if "withdraw" in request.POST:
            consent.withdraw(user, text)
        else:
            consent.accept(user, text)
        if next_page and not consent.missing(user):
            here = {request.get_host()}
            if url_has_allowed_host_and_scheme(next_page, here, request.is_secure()):
                return redirect(next_page)
        return redirect("account_consent")
    texts = [consent.current(name) for name in ("", *consent.projects())]
    found = [(text, consent.accepted(user, text)) for text in texts if text]
    return render(request, "accounts/consent.html", {"texts": found})


@login_required
def confirm(request: HttpRequest) -> HttpResponse:
    """Asks who came through single sign-on to sign in there once more."""
    ways = get_adapter(request).get_reauthentication_methods(request.user)
    if not single_sign_on.ways_to_confirm(person_of(request)):
        raise Http404
    next_url = get_next_redirect_url(request) or ""
    query = f"?{urlencode({'next': next_url})}" if next_url else ""
    others = [{**way, "url": f"{way['url']}{query}"} for way in ways if way["url"] != request.path]
    page = {"next": next_url, "reauthentication_alternatives": others}
    return render(request, "accounts/confirm.html", page)


@login_required
def data(request: HttpRequest) -> HttpResponse:
    """How long the signed-in person's entries are kept, and the ways out."""
    user = person_of(request)
    initial = {"days": retention.chosen(user)}
    form = RetentionForm(retention.choices(user), request.POST or None, initial)
    if form.is_valid():
        retention.choose(user, form.cleaned_data["days"])
        send(delete_expired)
        messages.success(request, "Saved.")
        return redirect("account_data")
    page = {"form": form, "site_days": settings.RETENTION_DAYS}
    return render(request, "accounts/data.html", page)


@login_required
@reauthentication_required
def close(request: HttpRequest) -> HttpResponse:
    """Deletes the account of the signed-in person, with everything that is theirs."""
    user, problem = person_of(request), ""
    form = CloseForm(user, request.POST or None)
    if form.is_valid():
        try:
            erasure.close(user)
        except erasure.LastAdministrator as refusal:
            problem = refusal.message
        else:
            logout(request)
            send(erase_closed_accounts)
            messages.success(request, "Your account is deleted. Its files go within minutes.")
            return redirect("account_login")
    page = {"form": form, "what": erasure.what_goes(user), "problem": problem}
    return render(request, "accounts/close.html", page)
