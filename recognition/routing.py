"""The addresses of the WebSockets."""

from django.urls import path

from recognition.consumers import AnalysesConsumer
from recognition.live_consumer import LiveConsumer

websocket_urlpatterns = [
    path("ws/analyses/", AnalysesConsumer.as_asgi()),
    path("ws/live/", LiveConsumer.as_asgi()),
]
