"""The URLs of the WebSockets."""

from django.urls import path

from recognition.feed import AnalysesConsumer, TrainingConsumer
from recognition.live.consumer import LiveConsumer

websocket_urlpatterns = [
    path("ws/analyses/", AnalysesConsumer.as_asgi()),
    path("ws/training/", TrainingConsumer.as_asgi()),
    path("ws/live/", LiveConsumer.as_asgi()),
]
