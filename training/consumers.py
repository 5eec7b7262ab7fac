"""The WebSocket of administrators: it only forwards what happens to trainings."""

import asyncio

from recognition.consumers import (
    NOT_SIGNED_IN,
    TRUSTED_SECONDS,
    AnalysesConsumer,
    user_of_session,
)
from training import events


class TrainingConsumer(AnalysesConsumer):
    """Forwards the events of data sets, runs and evaluations to members of the staff."""

    async def connect(self):
        if not self.scope["user"].is_staff:
            await self.accept()  # a socket that was never open has no code to close with
            await self.close(NOT_SIGNED_IN)
            return
        self.groups.append(events.GROUP)
        await self.channel_layer.group_add(events.GROUP, self.channel_name)
        self.watch = asyncio.create_task(self.close_when_signed_out())
        await self.accept()

    async def close_when_signed_out(self):
        while (await user_of_session(self.scope)).is_staff:
            await asyncio.sleep(TRUSTED_SECONDS)
        await self.close(NOT_SIGNED_IN)
