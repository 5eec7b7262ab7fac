"""Forms of passkeys that refuse with a sentence what no browser sends."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms
from cryptography.exceptions import InvalidSignature
from django.core.exceptions import ValidationError

# What the library below allauth raises for answers that were put together or changed.
BROKEN = (AttributeError, LookupError, TypeError, ValueError, struct.error, InvalidSignature)
REFUSED = "This passkey couldn't be checked. Try again, or choose another way."


@contextmanager
def refused_if_broken() -> Iterator[None]:
    try:
        yield
    except BROKEN:
        raise ValidationError(REFUSED, code="passkey_refused") from None


class AddForm(forms.AddWebAuthnForm):
    def clean(self) -> dict[str, Any]:
        with refused_if_broken():
            return super().clean()


class AuthenticateForm(forms.AuthenticateWebAuthnForm):
    def clean_credential(self) -> Authenticator:
        with refused_if_broken():
            return super().clean_credential()


class ReauthenticateForm(forms.ReauthenticateWebAuthnForm):
    def clean_credential(self) -> Authenticator:
        with refused_if_broken():
            return super().clean_credential()
