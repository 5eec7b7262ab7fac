"""WebSocket consumers that forward events to browsers."""

import asyncio
import logging
from importlib import import_module
from typing import Any

from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import Error

from recognition import administrators, events

logger = logging.getLogger(__name__)
NOT_SIGNED_IN = 4401  # close code: not signed in
TRUSTED_SECONDS = 2.5  # how long a socket trusts that its user is still signed in


class AnalysesConsumer(AsyncJsonWebsocketConsumer):
    """Forwards events of the owner's analyses and exports; ignores what the browser sends."""

    watch = None

    async def connect(self) -> None:
        user = self.scope["user"]
        if not user.is_authenticated:
            await self.accept()  # a socket that never opened has no close code
            await self.close(NOT_SIGNED_IN)
            return
        # Before the browser hears that it is connected and loads the state, so no event is missed.
        self.groups.append(events.owner_group(user.pk))
        await self.channel_layer.group_add(self.groups[-1], self.channel_name)
        self.watch = asyncio.create_task(self.close_when_signed_out())
        await self.accept()

    async def disconnect(self, code: int) -> None:
        if self.watch:
            self.watch.cancel()

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        pass

    async def forward(self, message: dict[str, Any]) -> None:
        await self.send_json(message["event"])

    async def close_when_signed_out(self) -> None:
        while await is_signed_in(self.scope):
            await asyncio.sleep(TRUSTED_SECONDS)
        await self.close(NOT_SIGNED_IN)


async def is_signed_in(scope: dict[str, Any]) -> bool:
    """Whether the session that opened a socket is still valid; the socket may outlive it.

    Signing out, a new password, and deactivating or deleting the account end it.
    """
    return (await user_of_session(scope)).is_authenticated


async def user_of_session(scope: dict[str, Any]) -> User | AnonymousUser:
    """The current user of the session that opened a socket; AnonymousUser once it has ended.

    While the database is down, the last answer stays valid.
    """
    store = import_module(settings.SESSION_ENGINE).SessionStore
    session = store(scope["session"].session_key)  # reloaded from the database
    try:
        scope["user"] = await get_user({"session": session})
    except Error:
        logger.warning("Can't check whether a session is still valid", exc_info=True)
    return scope["user"]


async def may_administrate(user: User | AnonymousUser) -> bool:
    """Like administrators.may_administrate; while the database is down, without second factor."""
    try:
        return await database_sync_to_async(administrators.may_administrate)(user)
    except Error:
        logger.warning("Can't check whether an administrator has a second factor", exc_info=True)
        return user.is_staff


class TrainingConsumer(AnalysesConsumer):
    """Forwards events of data sets, runs and evaluations to administrators."""

    async def connect(self) -> None:
        if not await may_administrate(self.scope["user"]):
            await self.accept()  # a socket that never opened has no close code
            await self.close(NOT_SIGNED_IN)
            return
        self.groups.append(events.STAFF_GROUP)
        await self.channel_layer.group_add(events.STAFF_GROUP, self.channel_name)
        self.watch = asyncio.create_task(self.close_when_signed_out())
        await self.accept()

    async def close_when_signed_out(self) -> None:
        while await may_administrate(await user_of_session(self.scope)):
            await asyncio.sleep(TRUSTED_SECONDS)
        await self.close(NOT_SIGNED_IN)
