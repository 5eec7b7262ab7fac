"""Who may use what is for administrators: staff, with a second factor if the site asks for one."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings

# Recovery codes alone are no second factor: they belong to one of these.
SECOND_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


def needs_second_factor(user: Any) -> bool:
    """Whether this person is an administrator who has to set up a second factor first."""
    return settings.STAFF_MFA and user.is_staff and not is_mfa_enabled(user, SECOND_FACTORS)


def may_administrate(user: Any) -> bool:
    return user.is_staff and not needs_second_factor(user)
