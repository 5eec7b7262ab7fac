"""The second factor of accounts: an authenticator app, passkeys and recovery codes."""

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User


class SecondFactorAdapter(DefaultMFAAdapter):
    """allauth's rules, with sentences that say what to do."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": (
            "That didn't match. Enter the code that your app shows right now or an unused "
            "recovery code, or try your passkey again."
        ),
        "unverified_email": (
            "Verify your email address first: open the link in the message you got, or send it "
            "again from the Email page."
        ),
        "add_email_blocked": (
            "You can't add an address while two-factor authentication is on. Turn it off first."
        ),
        "cannot_generate_recovery_codes": (
            "Recovery codes belong to an authenticator app or a passkey. Set one up first."
        ),
    }

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        """What a new passkey is called unless its owner names it."""
        others = Authenticator.objects.filter(user=user, type=type).count()
        return f"Passkey {others + 1}" if others else "Passkey"

    def get_totp_issuer(self) -> str:
        """The name that authenticator apps show: several copies of Mien have several hosts."""
        return f"Mien {self._get_site_name().partition(':')[0]}"


def remove(user: User) -> int:
    """Remove everything that a person signs in with beside the password; how many there were.

    For somebody who lost the phone and the recovery codes.
    """
    removed, _ = Authenticator.objects.filter(user=user).delete()
    return removed
