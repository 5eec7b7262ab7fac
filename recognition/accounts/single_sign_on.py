"""Signing in through the server of an organization (OpenID Connect), and who may.

That server says who somebody is, never what they may do here: only administrators make
administrators.
"""

import logging
from typing import Any
from urllib.parse import urlencode

from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.account.models import EmailAddress
from allauth.account.utils import filter_users_by_email
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.shortcuts import render
from django.urls import reverse

logger = logging.getLogger(__name__)


class SignOnAdapter(DefaultSocialAccountAdapter):
    """allauth's rules, with an address that the server has verified, and little that is kept."""

    error_messages = {
        **DefaultSocialAccountAdapter.error_messages,
        "no_password": (
            "You couldn't sign in any more. Set a password first, on the Password page."
        ),
    }

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        address = _verified_address(sociallogin)
        _keep_little(sociallogin)
        connecting = sociallogin.state.get("process") == AuthProcess.CONNECT
        if sociallogin.is_existing or connecting:
            return
        if not address:
            raise _refusal(request, "unverified")
        holders = filter_users_by_email(address)
        if not holders:
            sociallogin.user.email = address
            sociallogin.email_addresses = [EmailAddress(email=address, verified=True, primary=True)]
        elif len(holders) == 1 and is_made_for_sign_on(holders[0]):
            _give(request, holders[0], address, sociallogin)
        else:
            # Whoever runs that server, or got an address there, must not get at this account.
            raise _refusal(request, "taken", address=address)

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: Any) -> User:
        """Without a name: Mien has no use for it."""
        return super().populate_user(request, sociallogin, {"email": data.get("email")})

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Any = None,
        **_: Any,
    ) -> None:
        logger.warning("Single sign-on failed: %s", exception or error)


def _verified_address(sociallogin: SocialLogin) -> str:
    """The e-mail address if the server says that it's this person's; some send words for true."""
    for address in sociallogin.email_addresses:
        if address.verified is True or address.verified == "true":
            return address.email.lower()  # the way allauth stores and looks up addresses
    return ""


def _keep_little(sociallogin: SocialLogin) -> None:
    """Of what the server tells, names and pictures too, keep the address: it is shown."""
    account = sociallogin.account
    data = account.extra_data
    found = data.get("userinfo") or data.get("id_token") or {}
    account.extra_data = {"userinfo": {"email": found.get("email", "")}}
    if account.pk:
        account.save()


def is_made_for_sign_on(user: User) -> bool:
    """Whether an administrator made this account without a password, and nobody has it yet."""
    return (
        user.is_active
        and not user.is_staff
        and not user.has_usable_password()
        and not SocialAccount.objects.filter(user=user).exists()
        and not Authenticator.objects.filter(user=user).exists()
    )


def _give(request: HttpRequest, user: User, address: str, sociallogin: SocialLogin) -> None:
    sociallogin.connect(request, user)
    EmailAddress.objects.update_or_create(
        user=user, email=address, defaults={"verified": True, "primary": True}
    )


def _refusal(request: HttpRequest, reason: str, **context: str) -> ImmediateHttpResponse:
    page = {"reason": reason, **context}
    return ImmediateHttpResponse(render(request, "accounts/sign_on_refused.html", page, status=403))


def is_only_way(user: User) -> bool:
    """Whether this person has neither password nor second factor here."""
    return bool(ways_to_confirm(user)) and not get_reauthentication_flows(user)


def ways_to_confirm(user: User | AnonymousUser) -> list[dict[str, str]]:
    """Signing in once more, for who is connected."""
    if not settings.OIDC_ISSUER or not user.is_authenticated:
        return []
    if not SocialAccount.objects.filter(user=user, provider=settings.OIDC_ID).exists():
        return []
    return [
        {
            "id": "single_sign_on",
            "description": f"Continue with {settings.OIDC_NAME}",
            "url": reverse("account_confirm_sign_on"),
        }
    ]


def offered(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the name and addresses of single sign-on, if there is one."""
    if not settings.OIDC_ISSUER:
        return {"sign_on": None}
    url = reverse("openid_connect_login", kwargs={"provider_id": settings.OIDC_ID})
    again = urlencode({"auth_params": urlencode({"prompt": "login"})})
    return {"sign_on": {"name": settings.OIDC_NAME, "url": url, "again": f"{url}?{again}"}}
