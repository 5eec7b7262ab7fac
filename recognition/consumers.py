"""WebSockets: consumers that only forward what happens to the signed-in person's analyses."""

import time
from importlib import import_module

from channels.auth import get_user
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings

from recognition import events

NOT_SIGNED_IN = 4401  # the code of a socket that is closed because nobody is signed in
TRUSTED_SECONDS = 2  # for so long a socket takes for granted that its person is still signed in


class AnalysesConsumer(AsyncJsonWebsocketConsumer):
    """Forwards the events of the owner's analyses; what the browser sends is ignored."""

    async def connect(self):
        user = self.scope["user"]
        if not user.is_authenticated:
            await self.accept()  # a socket that was never open has no code to close with
            await self.close(NOT_SIGNED_IN)
            return
        # Before the browser hears that it is connected and reads the state: nothing falls between.
        self.groups.append(events.owner_group(user.pk))
        await self.channel_layer.group_add(self.groups[-1], self.channel_name)
        self.checked_at = time.monotonic()
        await self.accept()

    async def receive(self, text_data=None, bytes_data=None, **kwargs):
        pass

    async def forward(self, message):
        if await self.is_signed_in():
            await self.send_json(message["event"])
        else:
            await self.close(NOT_SIGNED_IN)

    async def is_signed_in(self) -> bool:
        """Whether the session that opened the socket still is one: a socket outlives it.

        It ends by signing out, a changed password, or an account that was deactivated or deleted.
        """
        if time.monotonic() - self.checked_at > TRUSTED_SECONDS:
            store = import_module(settings.SESSION_ENGINE).SessionStore
            session = store(self.scope["session"].session_key)  # read anew from the database
            self.scope["user"] = await get_user({"session": session})
            self.checked_at = time.monotonic()
        return self.scope["user"].is_authenticated
