"""Who may come in: the first administrator, and whether others may sign up."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest

# The database's unique user names decide between two visitors who set up at the same time.
FIRST_USERNAME = "admin"


class AccountAdapter(DefaultAccountAdapter):
    """allauth's rules, with a sign-up that the owner of the site can close."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.OPEN_SIGNUP


def open_signup(request: HttpRequest) -> dict[str, bool]:
    """A context processor: whether pages should offer to create an account."""
    return {"open_signup": settings.OPEN_SIGNUP}


def is_set_up() -> bool:
    """Whether anybody has an account: only an empty site may be taken by its first visitor."""
    return get_user_model().objects.exists()


@transaction.atomic
def create_first_administrator(email: str, password: str) -> User:
    """The administrator of a fresh site. Raises IntegrityError if one was created meanwhile."""
    email = email.lower()  # as allauth stores and looks up addresses
    user = get_user_model().objects.create_superuser(FIRST_USERNAME, email, password)
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    return user
