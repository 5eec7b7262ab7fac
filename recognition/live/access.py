"""Access to live sessions: by signing in on a page of this site, or with an API key."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from channels.security.websocket import AllowedHostsOriginValidator
from django.contrib.auth.models import AnonymousUser, User
from django.db import Error

from recognition import consent
from recognition.api import keys
from recognition.feed import is_signed_in
from recognition.models import ApiKey

logger = logging.getLogger(__name__)

PATH = "/ws/live/"
SUBPROTOCOL = "mien.live"
KEY_PREFIX = "mien.key."
"""What begins the subprotocol that carries a key: browsers can't send other headers."""
CONSENT_NEEDED = "Read how this site uses pictures, and agree to it, at /account/consent/ first."

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


def key_or_session(sockets: Application) -> Application:
    """`sockets` behind the check that a request comes from a page of this site.

    That check protects cookies. A live session with a key needs none, and programs send no origin.
    """
    for_pages = AllowedHostsOriginValidator(AuthMiddlewareStack(sockets))

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["path"] != PATH or key_text(scope) is None:
            await for_pages(scope, receive, send)
        else:
            await sockets({**scope, "user": AnonymousUser()}, receive, send)

    return application


def key_text(scope: dict[str, Any]) -> str | None:
    """The key that came with the request, in the Authorization header or as a subprotocol."""
    header = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    scheme, _, text = header.partition(" ")
    if scheme.lower() == "bearer":
        return text.strip()
    offered = [name for name in scope.get("subprotocols", []) if name.startswith(KEY_PREFIX)]
    return offered[0].removeprefix(KEY_PREFIX) if offered else None


def answered_subprotocol(scope: dict[str, Any]) -> str | None:
    """The subprotocol to accept: a browser closes a socket that accepts none of those it offers."""
    return SUBPROTOCOL if SUBPROTOCOL in scope.get("subprotocols", []) else None


async def owner_of(scope: dict[str, Any]) -> int | None:
    """The key of the person whom a live session belongs to; None if it may not be opened."""
    text = key_text(scope)
    if text is None:
        return scope["user"].pk if scope["user"].is_authenticated else None
    key = await database_sync_to_async(keys.find)(text)
    return key.owner_id if key and ApiKey.Scope.ANALYZE in key.scopes else None


@database_sync_to_async
def must_agree_first(owner: int) -> bool:
    """Whether a person has yet to accept the site's text."""
    return consent.missing(User(pk=owner)) is not None


async def may_go_on(scope: dict[str, Any]) -> bool:
    """Whether the key, or the session, is still valid. While the database is down, it is."""
    if key_text(scope) is None:
        return await is_signed_in(scope)
    try:
        return await owner_of(scope) is not None
    except Error:
        logger.warning("Can't check whether a key is still valid", exc_info=True)
        return True
