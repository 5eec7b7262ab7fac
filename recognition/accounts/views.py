"""The set-up page of the first visit, and the pages of people's own data."""

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from recognition.accounts import erasure, retention, rules
from recognition.accounts.forms import CloseForm, FirstAdministratorForm, RetentionForm
from recognition.accounts.tasks import delete_expired, erase_closed_accounts
from recognition.api.people import person_of
from recognition.jobs.broker import send


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
