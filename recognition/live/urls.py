"""The URLs of the live page; its WebSocket is in recognition/routing.py."""

from django.urls import path, re_path

from recognition.live import views

urlpatterns = [
    path("live/", views.live, name="live"),
    path("live/networks/", views.networks, name="live-networks"),
    re_path(r"^live/networks/([0-9a-f]{64})\.onnx$", views.network, name="live-network"),
]
