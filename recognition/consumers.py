"""WebSockets: consumers that only forward what happens to the signed-in person's analyses."""

from channels.generic.websocket import AsyncJsonWebsocketConsumer

from recognition import events

NOT_SIGNED_IN = 4401  # the code of a socket that is closed because nobody is signed in


class AnalysesConsumer(AsyncJsonWebsocketConsumer):
    """Forwards the events of the owner's analyses; what the browser sends is ignored."""

    async def connect(self):
        await self.accept()
        user = self.scope["user"]
        if not user.is_authenticated:
            await self.close(NOT_SIGNED_IN)
            return
        self.groups.append(events.owner_group(user.pk))
        await self.channel_layer.group_add(self.groups[-1], self.channel_name)

    async def receive(self, text_data=None, bytes_data=None, **kwargs):
        pass

    async def forward(self, message):
        await self.send_json(message["event"])
