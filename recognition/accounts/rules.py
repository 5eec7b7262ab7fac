"""Sign-up rules: the first administrator, whether others may sign up, who has to confirm."""

import time
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest

from recognition.api.people import person_of

# Unique user names in the database decide between two visitors who set up at the same time.
FIRST_USERNAME = "admin"


class AccountAdapter(DefaultAccountAdapter):
    """allauth's rules, with sign-up that the site's owner can turn off."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.OPEN_SIGNUP

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        return not signed_in_lately(self.request)


def signed_in_lately(request: HttpRequest) -> bool:
    """Whether password or second factor were entered a short while ago, on signing in or since."""
    records = get_authentication_records(request, person_of(request))
    since = time.time() - app_settings.REAUTHENTICATION_TIMEOUT
    return any(one["method"] in ("password", "mfa") and one["at"] > since for one in records)


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
