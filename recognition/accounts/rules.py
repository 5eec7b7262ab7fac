"""Sign-up rules: the first administrator, whether others may sign up, who has to confirm."""

import time
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.http import HttpRequest

from recognition.accounts import single_sign_on
from recognition.audit import trail
from recognition.audit.middleware import address_of

# Unique user names in the database decide between two visitors who set up at the same time.
FIRST_USERNAME = "admin"

SIGNED_IN_AT = "signed_in_at"  # in the session, in seconds


class AccountAdapter(DefaultAccountAdapter):
    """allauth's rules, with sign-up that the site's owner can turn off."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.OPEN_SIGNUP

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        note_sign_in(request)
        trail.record("account.signed_in", user.pk, address=address_of(request))

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        email = str(credentials.get("email") or "")
        if user := get_user_model().objects.filter(email__iexact=email).first():
            address = address_of(request)
            trail.record("account.sign_in_failed", user.pk, address=address)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        # allauth counts only what was entered after signing in.
        if signed_in_lately(self.request):
            return False
        user = self.request.user
        if user.is_authenticated and single_sign_on.is_only_way(user):
            # allauth would let pass who has nothing to enter here.
            raise ReauthenticationRequired
        return True

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict]:
        methods = super().get_reauthentication_methods(user)
        return [*methods, *single_sign_on.ways_to_confirm(user)]


def note_sign_in(request: HttpRequest) -> None:
    """Remember when this session's person signed in."""
    request.session[SIGNED_IN_AT] = time.time()


def signed_in_lately(request: HttpRequest) -> bool:
    """Whether this session began so shortly ago that its person needn't confirm."""
    since = time.time() - app_settings.REAUTHENTICATION_TIMEOUT
    return request.session.get(SIGNED_IN_AT, 0) > since


def open_signup(request: HttpRequest) -> dict[str, bool]:
    """Context processor: whether pages offer sign-up."""
    return {"open_signup": settings.OPEN_SIGNUP}


def is_set_up() -> bool:
    """Whether there is any account: only an empty site can be set up by its first visitor."""
    return get_user_model().objects.exists()


@transaction.atomic
def create_first_administrator(email: str, password: str) -> User:
    """Creates the administrator of a new site. Raises IntegrityError if there is one by now."""
    email = email.lower()  # the way allauth stores and looks up addresses
    user = get_user_model().objects.create_superuser(FIRST_USERNAME, email, password)
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    return user
