"""The set-up page of the first visit."""

from django.conf import settings
from django.contrib.auth import login
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from recognition.accounts import rules
from recognition.accounts.forms import FirstAdministratorForm


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
