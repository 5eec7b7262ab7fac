"""WebSockets: consumers that only forward what happens to the signed-in person's analyses."""

from channels.generic.websocket import AsyncJsonWebsocketConsumer

from recognition import events

NOT_SIGNED_IN = 4401  # the code of a socket that is closed because nobody is signed in


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
        await self.accept()

    async def receive(self, text_data=None, bytes_data=None, **kwargs):
        pass

    async def forward(self, message):
        await self.send_json(message["event"])
