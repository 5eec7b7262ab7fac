"""The address of the WebSocket."""

from django.urls import path

from training.consumers import TrainingConsumer

websocket_urlpatterns = [path("ws/training/", TrainingConsumer.as_asgi())]
