"""The addresses of the WebSockets."""

from django.urls import path

from recognition.consumers import AnalysesConsumer

websocket_urlpatterns = [
    path("ws/analyses/", AnalysesConsumer.as_asgi()),
]
